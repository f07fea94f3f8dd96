/** The state of a wallet, and what each posting makes of an account. */
import { type Keyed, memberOf, membersOf, withMember } from '../../record/keyed.ts'
import { type Coming, rescaled, toComeAfter, withCredit, withoutCome } from './coming.ts'
import { placesOf } from './currencies.ts'
import { EXTERNAL } from './messages.ts'
import { addUp } from './places.ts'

export type Amount = { readonly account: string; readonly currency: string; readonly amount: bigint }
/** Without `places` the amount is in the minor unit of its currency in the wallet. */
export type Posting = Amount & { readonly places?: number | undefined }
/**
 * An account and what is booked to it, whatever day it counts for. Its amounts are in one unit, whose `places` are
 * named where they are finer than the minor unit of the currency.
 */
export type Account = Posting & {
  readonly overdraft: 'refused' | 'allowed'
  /** The credits in `amount` that count from a later day on: they cover nothing before. */
  readonly coming?: Coming
}

export type Wallet =
  | { readonly status: 'none' }
  /** Accounts by name and currency; the decimal places of currencies by their codes. */
  | { readonly status: 'open'; readonly places: Keyed<number>; readonly accounts: Keyed<Account> }
  | { readonly status: 'closed' }
export type OpenWallet = Extract<Wallet, { status: 'open' }>

/** The day of an instant, in UTC. */
export const dayOf = (at: string): string => at.slice(0, 10)

/** Whether a posting is to an account of the wallet. */
export const isOwn = ({ account }: Pick<Posting, 'account'>): boolean => !account.startsWith(EXTERNAL)

/** Decimal places of amounts that name none: those that the currency was opened with in this wallet. */
export const minorPlaces = (open: OpenWallet, currency: string): number | undefined =>
  memberOf(open.places, currency) ?? placesOf(currency)

export const keyOf = ({ account, currency }: Pick<Amount, 'account' | 'currency'>): string =>
  JSON.stringify([account, currency])

export const find = (open: OpenWallet, one: Pick<Posting, 'account' | 'currency'>): Account | undefined =>
  memberOf(open.accounts, keyOf(one))

export const withAccount = (open: OpenWallet, held: Account): OpenWallet => ({
  ...open,
  accounts: withMember(open.accounts, keyOf(held), held),
})

/** What an account can spend on a day: credits of later days cover nothing yet, debits of later days are set aside. */
export const availableOf = ({ amount, coming }: Account, today: string): bigint => amount - toComeAfter(coming, today)

/** An account after one more posting, which counts for the day `on` and was made on the day `today`. */
export function posted(
  open: OpenWallet,
  { coming: before, ...held }: Account,
  posting: Posting,
  { on, today }: { readonly on: string; readonly today: string },
): Account {
  const least = memberOf(open.places, posting.currency)!
  const placesBefore = held.places ?? least
  const change = { amount: posting.amount, places: posting.places ?? least }
  const { amount, places } = addUp({ amount: held.amount, places: placesBefore }, [change])
  const factor = 10n ** BigInt(places - placesBefore)
  const left = rescaled(withoutCome(before, today), factor)
  const coming = change.amount > 0n && on > today ? withCredit(left, on, amount - held.amount * factor) : left
  return { ...held, amount, ...(places !== least && { places }), ...(coming && { coming }) }
}

/** The account of a wallet in a currency, `undefined` where it is not open. */
export const accountOf = (wallet: Wallet, account: string, currency: string): Account | undefined =>
  wallet.status === 'open' ? find(wallet, { account, currency }) : undefined

/** All accounts of a wallet that is open, one for each currency. */
export const accountsOf = (wallet: Wallet): readonly Account[] =>
  wallet.status === 'open' ? membersOf(wallet.accounts) : []

/** The decimal places that a wallet names for a currency, `undefined` where it does not. */
export const walletPlacesOf = (wallet: Wallet, currency: string): number | undefined =>
  wallet.status === 'open' ? memberOf(wallet.places, currency) : undefined
