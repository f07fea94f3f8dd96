/** The state of a wallet, and what each posting makes of an account. */

import type { Sealed } from '../../kernel/schema.ts'
import { placesOf } from '../../record/currencies.ts'
import { type Keyed, memberOf, membersOf, withMember } from '../../record/keyed.ts'
import { type Coming, rescaled, toComeAfter, withCredit, withoutCome } from './coming.ts'
import { EXTERNAL } from './fields.ts'
import type { events } from './messages.ts'

type Amount = { readonly account: string; readonly currency: string; readonly amount: bigint }
/** Without `places` the amount is in the minor unit of its currency in the wallet. */
export type Posting = Amount & { readonly places?: number | undefined }
/** How low the balance of an account may go, in minor units of its currency, and what it is in reports. */
export type Terms = Pick<
  ReturnType<(typeof events)['AccountOpened']['parse']>,
  'overdraft' | 'type' | 'kind' | 'limit' | 'minimum'
>

/**
 * An account and what is booked to it, whatever day it counts for. Its amounts are in one unit, whose `places` are
 * named where they are finer than the minor unit of the currency.
 */
export type Account = Posting &
  Terms & {
    /** The credits in `amount` that count from a later day on: they cover nothing before. */
    readonly coming?: Coming
    /** The latest day that a posting counts for, while that is still to come. */
    readonly lastOn?: string
    readonly closed?: true
    readonly frozen?: true
    /** What open holds set aside of it. */
    readonly held?: bigint
  }

/** Money of an account that is set aside: captured once, by an entry, or released once. */
export type Hold = Posting & {
  readonly hold: string
  /** The day that it counts for in the limits of what may be sent. */
  readonly sentOn?: string
}
/** How the last holds ended, by their ids; `order` has those ids by the places in which they are forgotten. */
export type Ended = {
  readonly count: number
  readonly how: Keyed<'captured' | 'released'>
  readonly order: Keyed<string>
}

/** A version of the chart of accounts. */
export type Chart = Omit<ReturnType<(typeof events)['ChartSet']['parse']>, 'reason'>

/** A version of the rules of what may be sent. */
type TransferRules = Omit<ReturnType<(typeof events)['TransferRulesSet']['parse']>, 'reason'>

/** What was sent on a day and in its month, in a unit of `places`. */
type Count = { readonly day: string; readonly onDay: bigint; readonly inMonth: bigint; readonly places: number }
/** The last day on which something was sent, and the counts of accounts, and of all accounts together. */
export type Sent = { readonly on: string; readonly counts: Keyed<Count> }

export type Wallet =
  | { readonly status: 'none' }
  /** Accounts by name and currency; the decimal places of currencies by their codes; open holds by their ids. */
  | {
      readonly status: 'open'
      readonly owner: string
      readonly holder?: Sealed | null | undefined
      readonly places: Keyed<number>
      readonly accounts: Keyed<Account>
      readonly holds: Keyed<Hold>
      readonly ended: Ended
      readonly frozen?: true
      readonly chart?: Chart
      readonly transferRules?: TransferRules
      readonly sent?: Sent
      /** The users that it names, and how many they are: absent where there are none. */
      readonly users?: Keyed<'post' | 'manage'>
      readonly userCount?: number
    }
  | { readonly status: 'closed'; readonly owner: string }
export type OpenWallet = Extract<Wallet, { status: 'open' }>

/** Begins the ids of holds that processes make, as it begins the names of processes as actors. */
export const OF_PROCESS = 'process:'

/** The day of an instant, in UTC. */
export const dayOf = (at: string): string => at.slice(0, 10)

/** Whether a posting is to an account of the wallet. */
export const isOwn = ({ account }: Pick<Posting, 'account'>): boolean => !account.startsWith(EXTERNAL)

/** Decimal places of amounts that name none: those that the currency was opened with in this wallet. */
export const minorPlaces = (open: OpenWallet, currency: string): number | undefined =>
  memberOf(open.places, currency) ?? placesOf(currency)

/** Texts that stand in JSON as they are: nearly all, and JSON is made of them in a part of the time. */
const PLAIN = /^[ !#-[\]-~]*$/

const keyOf = ({ account, currency }: Pick<Amount, 'account' | 'currency'>): string =>
  PLAIN.test(account) && PLAIN.test(currency) ? `["${account}","${currency}"]` : JSON.stringify([account, currency])

export const find = (open: OpenWallet, one: Pick<Posting, 'account' | 'currency'>): Account | undefined =>
  memberOf(open.accounts, keyOf(one))

export const withAccount = (open: OpenWallet, held: Account): OpenWallet => ({
  ...open,
  accounts: withMember(open.accounts, keyOf(held), held),
})

/**
 * What an account can spend on a day: credits of later days cover nothing yet; debits of later days are set aside, and
 * so is what is held.
 */
export const availableOf = ({ amount, coming, held = 0n }: Account, today: string): bigint =>
  amount - toComeAfter(coming, today) - held

/**
 * The lowest that an account may fall to, in minor units of its currency: its minimum, or its limit below zero.
 * `undefined` for an account that may fall without a limit.
 */
export const floorOf = ({ overdraft, limit, minimum = 0n }: Terms): bigint | undefined =>
  overdraft === 'refused' ? minimum : limit === undefined ? undefined : -limit

/** An account in a unit with at least so many decimal places. */
function inPlaces(open: OpenWallet, account: Account, least: number): Account {
  if (least === 0) return account
  const minor = memberOf(open.places, account.currency)!
  const before = account.places ?? minor
  if (least <= before) return account
  const factor = 10n ** BigInt(least - before)
  const { amount, coming, held, ...rest } = account
  return {
    ...rest,
    amount: amount * factor,
    places: least,
    ...(coming && { coming: rescaled(coming, factor) }),
    ...(held !== undefined && { held: held * factor }),
  }
}

/** An amount in the unit of an account that is as fine, or finer. */
function inUnitOf(open: OpenWallet, { places, currency }: Account, posting: Posting): bigint {
  if (places === posting.places) return posting.amount
  const minor = memberOf(open.places, currency)!
  return posting.amount * 10n ** BigInt((places ?? minor) - (posting.places ?? minor))
}

/** An account after one more posting, which counts for the day `on` and was made on the day `today`. */
export function posted(
  open: OpenWallet,
  account: Account,
  posting: Posting,
  { on, today }: { readonly on: string; readonly today: string },
): Account {
  const grown = inPlaces(open, account, posting.places ?? 0)
  const change = inUnitOf(open, grown, posting)
  // Nearly every posting counts by today, in an account with nothing to come.
  if (on <= today && grown.coming === undefined && grown.lastOn === undefined) {
    return { ...grown, amount: grown.amount + change }
  }
  const { coming: before, lastOn: lastBefore = '', ...rest } = grown
  const left = withoutCome(before, today)
  const coming = change > 0n && on > today ? withCredit(left, on, change) : left
  const lastOn = on > lastBefore ? on : lastBefore
  return { ...rest, amount: rest.amount + change, ...(coming && { coming }), ...(lastOn > today && { lastOn }) }
}

/** An account of which more is held, or less. */
export function withHeld(open: OpenWallet, account: Account, change: Posting): Account {
  const grown = inPlaces(open, account, change.places ?? 0)
  const { held: before = 0n, ...rest } = grown
  const held = before + inUnitOf(open, grown, change)
  return held === 0n ? rest : { ...rest, held }
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
