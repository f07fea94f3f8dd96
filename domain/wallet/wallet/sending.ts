/**
 * What processes may send out of a wallet: by transfers to others or with a fee, and by contributions to campaigns.
 * What they hold counts from the hold on, so that no interleaving passes a limit; what they let go counts no more.
 */
import type { Context } from '../../kernel/aggregate.ts'
import { Rejection, rejected } from '../../kernel/errors.ts'
import { type Keyed, memberOf, noneKeyed, withMember } from '../../record/keyed.ts'
import { isSame } from '../../record/merge.ts'
import { because } from '../../record/reason.ts'
import { dayIn, isZone } from '../../time/zone.ts'
import { inUnit } from './entry.ts'
import type { commands } from './messages.ts'
import { type Hold, minorPlaces, type OpenWallet, type Posting, type Sent } from './state.ts'

type Command<K extends keyof typeof commands> = ReturnType<(typeof commands)[K]['parse']>
type Count = Sent['counts'] extends Keyed<infer C> ? C : never

const noneSent: Sent = { on: '', counts: noneKeyed }
const laterOf = (...days: readonly string[]): string => days.toSorted().at(-1)!
const monthOf = (day: string): string => day.slice(0, 7)
const countKey = (account: string | undefined, currency: string): string => JSON.stringify([account ?? null, currency])

/** Sets the rules, as their next version. */
export function setTransferRules(open: OpenWallet, { reason, ...asked }: Command<'setTransferRules'>) {
  const { version = 0, ...before } = { ...open.transferRules }
  if (isSame(asked, before)) return []
  const { zone, limits, approvals } = asked
  if (!isZone(zone)) throw rejected('transfer_zone_unknown', 'Name a time zone such as Europe/Berlin.', { zone })
  for (const { currency } of [...limits, ...approvals]) {
    if (minorPlaces(open, currency) !== undefined) continue
    throw rejected('currency_places_unknown', 'Open an account in the currency first.', { currency })
  }
  return [{ type: 'TransferRulesSet', data: { version: version + 1, ...asked, ...because(reason) } } as const]
}

/** The day that a hold made now counts for: never an earlier one than before, also where the time zone was changed. */
function dayOfSending({ transferRules, sent = noneSent }: OpenWallet, { at }: Context): string | undefined {
  if (transferRules === undefined) return undefined
  const day = dayIn(transferRules.zone, at)
  return laterOf(day, sent.on)
}

/** Whether a second person has approved it, and what is sent together, in the unit of the amount. */
type Approval = { readonly isApproved: boolean; readonly total: bigint }

/**
 * The day that a hold of a process counts for, `undefined` in a wallet without rules. Throws where a second person has
 * to approve the amount, or what is sent together with it, unless one has, and where it would pass a limit.
 */
export function mayBeSent(
  open: OpenWallet,
  asked: Posting,
  context: Context,
  { isApproved, total }: Approval,
): string | undefined {
  const day = dayOfSending(open, context)
  if (day === undefined) return undefined
  const { limits, approvals } = open.transferRules!
  const concerns = (rule: { readonly currency: string; readonly account?: string | undefined }) =>
    rule.currency === asked.currency && (rule.account === undefined || rule.account === asked.account)
  for (const { account, per_day, per_month } of limits.filter(concerns)) {
    const { onDay, inMonth, places } = countOn(open, countKey(account, asked.currency), day)
    mustBeWithin(open, asked, { period: 'day', most: per_day, sent: onDay, places })
    mustBeWithin(open, asked, { period: 'month', most: per_month, sent: inMonth, places })
  }
  const whole = { ...asked, amount: total > asked.amount ? total : asked.amount }
  const isAbove = ({ above }: { readonly above: bigint }) => compared(open, whole, above, { sent: 0n, places: 0 }) > 0n
  if (!isApproved && approvals.filter(concerns).some(isAbove)) throw approvalRequired(open, context)
  return day
}

type Bound = {
  readonly period: 'day' | 'month'
  readonly most: bigint | undefined
  readonly sent: bigint
  readonly places: number
}

function mustBeWithin(open: OpenWallet, asked: Posting, { period, most, sent, places }: Bound): void {
  if (most === undefined || compared(open, asked, most, { sent, places }) <= 0n) return
  const facts = { period, limit: most, currency: asked.currency }
  throw rejected('transfer_limit_passed', `That is more than may leave the wallet in one ${period}.`, facts)
}

/** How far an amount and what was sent before it are above a bound, which is in minor units. */
function compared(open: OpenWallet, asked: Posting, bound: bigint, before: Pick<Bound, 'sent' | 'places'>): bigint {
  const { currency } = asked
  const minor = minorPlaces(open, currency) ?? 0
  const unit = Math.max(minor, asked.places ?? minor, before.places)
  const scaled = (amount: bigint, places: number) => inUnit(open, { account: '', currency, amount, places }, unit)
  return inUnit(open, asked, unit) + scaled(before.sent, before.places) - scaled(bound, minor)
}

/** Users that a wallet tells of who may approve. */
const APPROVERS_MAX = 50

/** Names who may approve: the owner of the wallet and its users. */
function approvalRequired({ owner, users }: OpenWallet, { behalf }: Context): Rejection {
  const named = new Set([owner, ...(users ? keysOf(users) : [])])
  named.delete(behalf?.subject ?? '')
  const details = [...named].slice(0, APPROVERS_MAX).map(user => ({ field: 'approver', message: user }))
  return new Rejection('transfer_approval_required', 'A second person has to approve so much.', details)
}

const keysOf = (map: Keyed<unknown>): readonly string[] =>
  Object.values(map).flatMap(groups => Object.values(groups).flatMap(members => Object.keys(members)))

/** What was sent up to now on a day and in its month. */
function countOn({ sent }: OpenWallet, key: string, day: string): Count {
  const count = sent && memberOf(sent.counts, key)
  if (!count || monthOf(count.day) !== monthOf(day)) return { day, onDay: 0n, inMonth: 0n, places: 0 }
  return count.day === day ? count : { ...count, day, onDay: 0n }
}

/** The wallet after something was sent on a day. */
export function withSent(open: OpenWallet, { account, currency, amount, places }: Posting, day: string): OpenWallet {
  const { on, counts } = open.sent ?? noneSent
  const own = places ?? minorPlaces(open, currency) ?? 0
  const changed = [account, undefined].reduce<Keyed<Count>>((all, of) => {
    const key = countKey(of, currency)
    const before = amount < 0n ? memberOf(all, key) : countOn(open, key, day)
    if (!before || monthOf(before.day) !== monthOf(day)) return all
    const unit = Math.max(before.places, own)
    const inUnit = (value: bigint, from: number) => value * 10n ** BigInt(unit - from)
    const change = inUnit(amount, own)
    const onDay = inUnit(before.onDay, before.places) + (before.day === day ? change : 0n)
    const inMonth = inUnit(before.inMonth, before.places) + change
    return withMember(all, key, { day: before.day, onDay, inMonth, places: unit })
  }, counts)
  return { ...open, sent: { on: laterOf(day, on), counts: changed } }
}

/** The wallet after what a hold had set aside was let go: on a later day it has counted, and does in its month. */
export const withoutSent = (open: OpenWallet, { sentOn, ...hold }: Hold): OpenWallet =>
  sentOn === undefined ? open : withSent(open, { ...hold, amount: -hold.amount }, sentOn)
