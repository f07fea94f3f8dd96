/** When a standing order is due, as instants: local times of its zone that do not come are left out and not counted. */
import { localText, secondsOf } from './civil.ts'
import { occurrences } from './occurrences.ts'
import { parseRule, type Rule } from './rule.ts'
import { instantOf, offsetAt } from './zone.ts'

/** A rule with its start, a local time, and its zone. */
export type Recurrence = { readonly rule: string; readonly starts: string; readonly zone: string }

/** The instant at which it is due, as `timestamp`, and its place among all those of the rule, from 1. */
export type Due = { readonly at: string; readonly number: number }

/** The calendar has years of four digits. */
const LAST = secondsOf('9999-12-31T23:59:59')!
/** Times that are looked at for the first one behind an instant. */
const SKIPPED_MAX = 100_000

/** The first due time behind an instant (`timestamp`); all those before it count. */
export function firstDue(recurrence: Recurrence, behind: string): Due | undefined {
  const rule = ruleOf(recurrence)
  const instant = instantText(behind)
  const local = instant + offsetAt(recurrence.zone, instant)
  // What the rule counts must be counted from its start on.
  const from = rule.count === undefined ? local - 1 : undefined
  let number = 0
  for (const at of instants(recurrence, rule, from)) {
    number += 1
    if (rule.count !== undefined && number > rule.count) return undefined
    if (at > instant) return { at: timestampOf(at), number: rule.count === undefined ? 1 : number }
    if (number > SKIPPED_MAX) return undefined
  }
  return undefined
}

/** The due time that follows another one. */
export function nextDue(recurrence: Recurrence, { at, number }: Due): Due | undefined {
  const rule = ruleOf(recurrence)
  if (rule.count !== undefined && number >= rule.count) return undefined
  const last = instantText(at)
  for (const next of instants(recurrence, rule, last + offsetAt(recurrence.zone, last))) {
    if (next > last) return { at: timestampOf(next), number: number + 1 }
  }
  return undefined
}

/** The instants of a rule up to its `UNTIL` and the end of the calendar, from a local time on. */
function* instants({ starts, zone }: Recurrence, rule: Rule, from?: number): Generator<number> {
  const start = secondsOf(starts)!
  const { until = Number.POSITIVE_INFINITY, untilIsUtc } = rule
  for (const local of occurrences(rule, start, from)) {
    const instant = instantOf(zone, local)
    if (local > LAST || (instant ?? local) > LAST) return
    if ((untilIsUtc ? (instant ?? local) : local) > until) return
    if (instant !== undefined) yield instant
  }
}

function ruleOf({ rule }: Recurrence): Rule {
  const parsed = parseRule(rule)
  if (typeof parsed === 'string') throw new TypeError(parsed)
  return parsed
}

const instantText = (timestamp: string): number => secondsOf(timestamp.slice(0, 19))!
const timestampOf = (instant: number): string => `${localText(instant)}.000Z`
