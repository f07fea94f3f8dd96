import { aggregate, type Context, type Decide, type Evolve, inStatus } from '../../kernel/aggregate.ts'
import { invariant, rejected } from '../../kernel/errors.ts'
import { MAX_MINOR_UNITS } from '../../kernel/schema.ts'
import { type Keyed, memberOf, membersOf, noneKeyed, withMember } from '../../record/keyed.ts'
import { placesOf } from './currencies.ts'
import { commands, EXTERNAL, events, rejections } from './messages.ts'
import { addUp, coarsest } from './places.ts'

type Amount = { readonly account: string; readonly currency: string; readonly amount: bigint }
/** Without `places` the amount is in the minor unit of its currency in the wallet. */
type Posting = Amount & { readonly places?: number | undefined }
/** An account whose balance has finer `places` than the minor unit of its currency names them. */
type Account = Posting & { readonly overdraft: 'refused' | 'allowed' }

export type Wallet =
  | { readonly status: 'none' }
  /** Accounts by name and currency; the decimal places of currencies by their codes. */
  | { readonly status: 'open'; readonly places: Keyed<number>; readonly accounts: Keyed<Account> }
  | { readonly status: 'closed' }
type OpenWallet = Extract<Wallet, { status: 'open' }>

const evolve: Evolve<Wallet, typeof events> = {
  WalletOpened: () => ({ status: 'open', places: noneKeyed, accounts: noneKeyed }),
  AccountOpened: (wallet, { account, currency, places, overdraft }) => {
    const open = inStatus(wallet, 'open')
    const opened = { account, currency, overdraft, amount: 0n }
    return { ...withAccount(open, opened), places: withMember(open.places, currency, places) }
  },
  EntryPosted: (wallet, { postings }) =>
    postings.filter(isOwn).reduce(
      (open, posting) => {
        const held = find(open, posting)
        invariant(held, `posting to ${posting.account}, which was never opened in ${posting.currency}`)
        return withAccount(open, { ...held, ...posted(open, held, posting) })
      },
      inStatus(wallet, 'open'),
    ),
  WalletClosed: () => ({ status: 'closed' }),
}

const CLOSED = ['wallet_closed', 'The wallet is closed and takes no more commands.'] as const

const decide: Decide<Wallet, typeof commands, typeof events> = {
  open(wallet, { owner, holder, kind }, { actor }) {
    if (wallet.status !== 'none') throw rejected('wallet_already_open', 'The wallet exists; choose another id.')
    return [{ type: 'WalletOpened', data: { owner: owner ?? actor, kind, ...(holder && { holder }) } }]
  },
  openAccount(wallet, { account, currency, places, overdraft }) {
    const open = inStatus(wallet, 'open', CLOSED)
    if (account.startsWith(EXTERNAL)) {
      throw rejected('account_is_external', 'External accounts need no opening; choose another name.', { account })
    }
    const known = minorPlaces(open, currency)
    if ((known ?? places) === undefined) {
      throw rejected('currency_places_unknown', 'Not an ISO 4217 code: name its decimal `places`.', { currency })
    }
    if (known !== undefined && places !== undefined && places !== known) {
      throw rejected('currency_places_mismatch', 'The currency has other decimal places.', { currency, places: known })
    }
    const existing = find(open, { account, currency })
    if (existing?.overdraft === overdraft) return []
    if (existing) throw rejected('account_already_open', 'The account is open with another policy.', { account })
    return [{ type: 'AccountOpened', data: { account, currency, places: (known ?? places)!, overdraft } }]
  },
  credit: (wallet, { account, currency, amount, places, counterparty, ...rest }, context) =>
    post(inStatus(wallet, 'open', CLOSED), context, {
      kind: 'credit',
      postings: transfer(counterparty, account, { currency, amount, places }),
      ...rest,
    }),
  debit: (wallet, { account, currency, amount, places, counterparty, ...rest }, context) =>
    post(inStatus(wallet, 'open', CLOSED), context, {
      kind: 'debit',
      postings: transfer(account, counterparty, { currency, amount, places }),
      ...rest,
    }),
  post: (wallet, entry, context) => post(inStatus(wallet, 'open', CLOSED), context, { kind: 'journal', ...entry }),
  close(wallet) {
    if (wallet.status === 'closed') return []
    for (const { account, currency, amount } of membersOf(inStatus(wallet, 'open', CLOSED).accounts)) {
      if (amount !== 0n) {
        throw rejected('balance_not_zero', 'Bring every balance to zero first.', { account, currency, balance: amount })
      }
    }
    return [{ type: 'WalletClosed', data: {} }]
  },
}

/** Money: accounts with balances, entries that balance per currency, overdraft by policy. */
export const wallet = aggregate({
  name: 'wallet',
  events,
  commands,
  api: {
    open: ['POST /wallets', 'wallets.write', 'Open a wallet.'],
    openAccount: [
      'POST /wallets/:id/accounts',
      'wallets.write',
      'Open an account in a currency, with its overdraft policy; one account may hold several currencies.',
    ],
    credit: ['POST /wallets/:id/credits', 'entries.write', 'Receive money: into an account, from an external account.'],
    debit: ['POST /wallets/:id/debits', 'entries.write', 'Spend money: from an account, to an external account.'],
    post: [
      'POST /wallets/:id/entries',
      'entries.write',
      'Post an entry of two or more postings that balance in every currency.',
    ],
    close: ['POST /wallets/:id/close', 'wallets.write', 'Close a wallet whose balances are all zero.'],
  },
  rejections,
  initial: { status: 'none' } as Wallet,
  evolve,
  decide,
  stateSchema: 3,
  spellings: { effectiveOn: 'effective_on' },
})

type Draft = Omit<CommandOf['post'], 'postings'> & {
  readonly kind: 'credit' | 'debit' | 'journal'
  readonly postings: readonly (Posting & { readonly effective_on?: string | undefined })[]
}
type CommandOf = { readonly [K in keyof typeof commands]: Parameters<(typeof decide)[K]>[1] }

/** The rules of every entry: balanced per currency, own accounts open, no overdraft where it is refused. */
function post(open: OpenWallet, context: Context, { effective_on, postings, ...draft }: Draft) {
  const own = postings.filter(isOwn)
  const units = unitsOf(open, postings)
  const scaled = postings.map(posting => ({ ...posting, amount: inUnit(open, posting, units.get(posting.currency)!) }))
  for (const [currency, sum] of totals(scaled, posting => posting.currency)) {
    if (sum !== 0n) {
      throw rejected('entry_unbalanced', 'The postings of each currency must add up to zero.', { currency, sum })
    }
  }
  if (own.length === 0) throw rejected('entry_without_own_account', 'Name at least one account of the wallet.')
  for (const posting of own) mustHave(open, posting)
  const stored = postings.map(posting => stated(open, posting))
  for (const { account, currency, amount } of stored) mustBeInRange(amount, { account, currency })
  for (const [key, change] of totals(scaled.filter(isOwn), keyOf)) {
    const [account, currency] = JSON.parse(key) as [string, string]
    const held = mustHave(open, { account, currency })
    const available = inUnit(open, held, units.get(currency)!)
    const balance = available + change
    mustBeInRange(balance, { account, currency })
    if (change < 0n && balance < 0n && held.overdraft === 'refused') {
      const facts = { account, currency, available, needed: -change }
      throw rejected('insufficient_funds', 'The account holds less than the entry takes.', facts)
    }
  }
  const data = {
    ...defined(draft),
    postings: stored,
    entry: context.newId(0),
    effectiveOn: effective_on ?? context.at.slice(0, 10),
  }
  return [{ type: 'EntryPosted', data }] as const
}

function mustBeInRange(amount: bigint, facts: { readonly account: string; readonly currency: string }): void {
  if (amount <= MAX_MINOR_UNITS && amount >= -MAX_MINOR_UNITS) return
  throw rejected('amount_out_of_range', 'An amount or a balance has at most 38 digits.', facts)
}

const isOwn = ({ account }: Pick<Posting, 'account'>) => !account.startsWith(EXTERNAL)

const keyOf = ({ account, currency }: Pick<Amount, 'account' | 'currency'>) => JSON.stringify([account, currency])

const transfer = (from: string, to: string, amount: Omit<Posting, 'account'>): Posting[] => [
  { account: to, ...amount },
  { account: from, ...amount, amount: -amount.amount },
]

/** A posting as an event states it: finer places are named where the amount needs them, and only there. */
function stated(open: OpenWallet, posting: Draft['postings'][number]) {
  const { account, currency, effective_on } = posting
  const least = minorPlaces(open, currency)
  const { amount, places } =
    posting.places === undefined ? { ...posting, places: least } : coarsest(posting.amount, posting.places, least ?? 0)
  return {
    account,
    currency,
    amount,
    ...(places !== least && { places: places! }),
    ...(effective_on !== undefined && { effectiveOn: effective_on }),
  }
}

/** By currency, the decimal places of the finest unit that a posting, or a balance that it changes, is in. */
function unitsOf(open: OpenWallet, postings: readonly Posting[]): ReadonlyMap<string, number> {
  const units = new Map<string, number>()
  for (const posting of postings) {
    const { currency } = posting
    const least = minorPlaces(open, currency)
    if (least === undefined && posting.places !== undefined) {
      throw rejected('currency_places_unknown', 'Open an account in the currency first.', { currency })
    }
    const { places = least ?? 0 } = stated(open, posting)
    const most = placesOf(currency) ?? places
    if (places > most) {
      throw rejected('currency_places_mismatch', 'The currency has fewer decimal places.', { currency, places: most })
    }
    const held = isOwn(posting) ? find(open, posting)?.places : undefined
    units.set(currency, Math.max(units.get(currency) ?? 0, places, held ?? 0))
  }
  return units
}

/** An amount in a unit that is as fine as it needs. */
function inUnit(open: OpenWallet, { currency, amount, places }: Posting, unit: number): bigint {
  return coarsest(amount, places ?? minorPlaces(open, currency) ?? 0, unit).amount
}

/** Decimal places of amounts that name none: those that the currency was opened with in this wallet. */
const minorPlaces = (open: OpenWallet, currency: string) => memberOf(open.places, currency) ?? placesOf(currency)

/** A balance after one more posting: `places` only where they are finer than those of the currency. */
function posted(open: OpenWallet, held: Account, posting: Posting): Pick<Account, 'amount' | 'places'> {
  const least = memberOf(open.places, posting.currency)!
  const places = held.places ?? least
  const sum = addUp({ amount: held.amount, places }, [{ amount: posting.amount, places: posting.places ?? least }])
  return sum.places === least ? { amount: sum.amount } : sum
}

/** An object without its members that are `undefined`. */
const defined = <T extends object>(members: T) =>
  Object.fromEntries(Object.entries(members).filter(([, value]) => value !== undefined)) as T

function totals<T extends Amount>(postings: readonly T[], keyOf: (posting: T) => string): Map<string, bigint> {
  const sums = new Map<string, bigint>()
  for (const posting of postings) sums.set(keyOf(posting), (sums.get(keyOf(posting)) ?? 0n) + posting.amount)
  return sums
}

const find = (open: OpenWallet, one: Pick<Posting, 'account' | 'currency'>) => memberOf(open.accounts, keyOf(one))

function mustHave(open: OpenWallet, posting: Pick<Posting, 'account' | 'currency'>): Account {
  const held = find(open, posting)
  if (!held) {
    const { account, currency } = posting
    throw rejected('account_not_open', 'Open the account in this currency first.', { account, currency })
  }
  return held
}

const withAccount = (open: OpenWallet, held: Account): OpenWallet => ({
  ...open,
  accounts: withMember(open.accounts, keyOf(held), held),
})

/** The account of a wallet in a currency, `undefined` where it is not open. */
export const accountOf = (wallet: Wallet, account: string, currency: string): Account | undefined =>
  wallet.status === 'open' ? find(wallet, { account, currency }) : undefined

/** All accounts of a wallet that is open, one for each currency. */
export const accountsOf = (wallet: Wallet): readonly Account[] =>
  wallet.status === 'open' ? membersOf(wallet.accounts) : []

/** The decimal places that a wallet names for a currency, `undefined` where it does not. */
export const walletPlacesOf = (wallet: Wallet, currency: string): number | undefined =>
  wallet.status === 'open' ? memberOf(wallet.places, currency) : undefined
