/** The rules of every entry. */
import type { Context } from '../../kernel/aggregate.ts'
import { rejected } from '../../kernel/errors.ts'
import { MAX_MINOR_UNITS } from '../../kernel/schema.ts'
import { placesOf } from '../../record/currencies.ts'
import { checkedBy } from './chart.ts'
import { POSTINGS_MAX } from './fields.ts'
import type { commands, events } from './messages.ts'
import { coarsest } from './places.ts'
import {
  type Account,
  availableOf,
  dayOf,
  find,
  floorOf,
  isOwn,
  minorPlaces,
  type OpenWallet,
  type Posting,
} from './state.ts'

/** What an entry is not held to, because it ends what has begun: freezing, the chart of accounts, what there is. */
export type Leniency = {
  readonly mayMove?: typeof mustMove
  readonly isOutsideChart?: boolean
  /** Whether another entry of the same command covers it. */
  readonly isCovered?: boolean
}

/** An entry as a command asks for it. */
type Draft = Omit<ReturnType<(typeof commands)['post']['parse']>, 'postings' | 'kind'> & {
  readonly kind: NonNullable<ReturnType<(typeof commands)['post']['parse']>['kind']>
  readonly postings: readonly (Posting & { readonly effective_on?: string | undefined })[]
  /** The rate that a conversion used. */
  readonly conversion?: NonNullable<ReturnType<(typeof events)['EntryPosted']['parse']>['conversion']>
}

/**
 * The rules of every entry: balanced per currency, own accounts open, none below the lowest that it may fall to. What
 * an account can spend is that of the day of the command, also for an entry that counts for an earlier day.
 */
export function post(
  open: OpenWallet,
  context: Context,
  { effective_on, postings, ...draft }: Draft,
  { mayMove = mustMove, isOutsideChart = false, isCovered = false }: Leniency = {},
) {
  if (postings.length > POSTINGS_MAX) {
    throw rejected('entry_too_large', 'The entry has too many postings: take back and post in two.', {
      most: POSTINGS_MAX,
    })
  }
  const today = dayOf(context.at)
  const stored = postings.map(posting => stated(open, posting))
  const units = unitsIn(open, postings, stored)
  const sums = new Map<string, bigint>()
  for (const posting of postings) {
    const { currency } = posting
    sums.set(currency, (sums.get(currency) ?? 0n) + inUnit(open, posting, units.get(currency)!))
  }
  for (const [currency, sum] of sums) {
    if (sum !== 0n) {
      throw rejected('entry_unbalanced', 'The postings of each currency must add up to zero.', { currency, sum })
    }
  }
  /** What is booked to each account of the wallet, and what of that counts by today or takes something away. */
  const booked = new Map<Account, { sum: bigint; change: bigint }>()
  for (const posting of postings) {
    if (!isOwn(posting)) continue
    const held = mustHave(open, posting)
    mayMove(open, held)
    const amount = inUnit(open, posting, units.get(posting.currency)!)
    const of = booked.get(held) ?? { sum: 0n, change: 0n }
    of.sum += amount
    if (amount < 0n || (posting.effective_on ?? effective_on ?? today) <= today) of.change += amount
    booked.set(held, of)
  }
  if (booked.size === 0) throw rejected('entry_without_own_account', 'Name at least one account of the wallet.')
  for (const { account, currency, amount } of stored) mustBeInRange(amount, { account, currency })
  for (const [held, { sum, change }] of booked) {
    const { account, currency } = held
    const unit = units.get(currency)!
    mustBeInRange(inUnit(open, held, unit) + sum, { account, currency })
    if (change < 0n && !isCovered) mustCover(open, held, -change, { unit, today })
  }
  const deviations = isOutsideChart ? {} : checkedBy(open.chart, postings)
  const made = { postings: stored, entry: context.newId(0), effectiveOn: effective_on ?? today }
  const data = { ...defined(draft), ...made, ...deviations }
  return [{ type: 'EntryPosted', data }] as const
}

type Today = { readonly unit: number; readonly today: string }

/** What an account can spend today in a unit, up to its limit; `undefined` where there is no bound. */
export function spendable(open: OpenWallet, account: Account, { unit, today }: Today): bigint | undefined {
  const floor = floorOf(account)
  if (floor === undefined) return undefined
  const available = inUnit(open, { ...account, amount: availableOf(account, today) }, unit)
  return floor === 0n ? available : available - floor * 10n ** BigInt(unit - minorPlaces(open, account.currency)!)
}

/** Throws where an account has less to spend today than is needed. */
export function mustCover(open: OpenWallet, account: Account, needed: bigint, day: Today): void {
  const available = spendable(open, account, day)
  if (available === undefined || available >= needed) return
  const facts = { account: account.account, currency: account.currency, available, needed }
  throw rejected('insufficient_funds', 'The account has less to spend today than that takes.', facts)
}

/** Throws where an account, or the whole wallet, is frozen. */
export function mustMove({ frozen }: OpenWallet, { account, ...own }: Account): void {
  if (frozen) throw rejected('wallet_frozen', 'The wallet is frozen: unfreeze it first.')
  if (own.frozen) throw rejected('account_frozen', 'The account is frozen: unfreeze it first.', { account })
}

/** Refuses more than 38 digits. */
export function mustBeInRange(amount: bigint, facts: { readonly account: string; readonly currency: string }): void {
  if (amount <= MAX_MINOR_UNITS && amount >= -MAX_MINOR_UNITS) return
  throw rejected('amount_out_of_range', 'An amount or a balance has at most 38 digits.', facts)
}

/** The postings of an amount that goes from one account to another. */
export const transfer = (from: string, to: string, amount: Omit<Posting, 'account'>): Posting[] => [
  { account: to, ...amount },
  { account: from, ...amount, amount: -amount.amount },
]

/** A posting as an event states it: finer places are named where the amount needs them, and only there. */
export function stated(open: OpenWallet, posting: Draft['postings'][number]) {
  const { account, currency, amount: given, effective_on } = posting
  const day = effective_on === undefined ? undefined : { effectiveOn: effective_on }
  if (posting.places === undefined) return { account, currency, amount: given, ...day }
  const least = minorPlaces(open, currency)
  const { amount, places } = coarsest(given, posting.places, least ?? 0)
  return { account, currency, amount, ...(places !== least && { places }), ...day }
}

/** By currency, the decimal places of the finest unit that a posting, or a balance that it changes, is in. */
export const unitsOf = (open: OpenWallet, postings: readonly Posting[]): ReadonlyMap<string, number> =>
  unitsIn(
    open,
    postings,
    postings.map(posting => stated(open, posting)),
  )

function unitsIn(open: OpenWallet, postings: readonly Posting[], inEvent: readonly { places?: number }[]) {
  const units = new Map<string, number>()
  for (let n = 0; n < postings.length; n += 1) {
    const posting = postings[n]!
    const { currency } = posting
    const least = minorPlaces(open, currency)
    if (least === undefined && posting.places !== undefined) {
      throw rejected('currency_places_unknown', 'Open an account in the currency first.', { currency })
    }
    const { places = least ?? 0 } = inEvent[n]!
    // Outside there are fractions of a cent: what an exchange rate gives exactly.
    const most = isOwn(posting) ? (placesOf(currency) ?? places) : places
    if (places > most) {
      throw rejected('currency_places_mismatch', 'The currency has fewer decimal places.', { currency, places: most })
    }
    const held = isOwn(posting) ? find(open, posting)?.places : undefined
    units.set(currency, Math.max(units.get(currency) ?? 0, places, held ?? 0))
  }
  return units
}

/** An amount in a unit that is as fine as it needs. */
export function inUnit(open: OpenWallet, { currency, amount, places }: Posting, unit: number): bigint {
  const own = places ?? minorPlaces(open, currency) ?? 0
  return own === unit ? amount : coarsest(amount, own, unit).amount
}

/** An object without its members that are `undefined`. */
function defined<T extends object>(members: T): T {
  const kept: Record<string, unknown> = {}
  for (const name of Object.keys(members)) {
    const value = members[name as keyof T]
    if (value !== undefined) kept[name] = value
  }
  return kept as T
}

/** The account of a posting. Throws `account_not_open` and `account_closed`. */
export function mustHave(open: OpenWallet, posting: Pick<Posting, 'account' | 'currency'>): Account {
  const held = find(open, posting)
  if (!held) {
    const { account, currency } = posting
    throw rejected('account_not_open', 'Open the account in this currency first.', { account, currency })
  }
  if (held.closed)
    throw rejected('account_closed', 'The account is closed; reopen it first.', { account: held.account })
  return held
}
