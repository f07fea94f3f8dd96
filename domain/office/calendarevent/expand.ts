/**
 * When an event takes place (RFC 5545, section 3.8.5). Decided where readers differ: the start is always the first
 * time, also where the rule does not name it; a local time that the clocks leave out is taken by the offset before the
 * change (section 3.3.5); an occurrence lasts as long by the clock on the wall as the first one.
 */
import { DAY_SECONDS, localText, secondsOf } from '../../time/civil.ts'
import { occurrences } from '../../time/occurrences.ts'
import { parseRule, type Rule } from '../../time/rule.ts'
import { instantOf, offsetAt } from '../../time/zone.ts'

/** What one occurrence has of its own; `and_future`: all later ones are moved as far. */
type Change = {
  readonly occurrence: string
  readonly starts?: string | undefined
  readonly ends?: string | undefined
  readonly title?: string | undefined
  readonly cancelled?: boolean | undefined
  readonly and_future?: boolean | undefined
}

/**
 * The times of an event: days (`2026-01-31`), local times (`2026-01-31T09:00:00`), instants (with `Z`). `ends` is not
 * a part of it. Without a zone local times are those of whoever looks.
 */
export type Timed = {
  readonly starts: string
  readonly ends?: string | null | undefined
  readonly zone?: string | null | undefined
  readonly rule?: string | null | undefined
  readonly more_dates?: readonly string[] | undefined
  readonly left_out?: readonly string[] | undefined
  readonly changed?: readonly Change[] | undefined
}

/** One time: instants in seconds, the local time as text, and which occurrence of the rule it is. */
export type Occurrence = {
  readonly occurrence: string
  readonly start: number
  readonly end: number
  readonly starts: string
  readonly change?: Change
}

/** How much may be looked at, in candidates; shared by the events of one answer. */
export type Effort = { left: number }

export class TooMuch extends Error {}

const DAY = 10
const FAR = 2 * DAY_SECONDS

/**
 * The occurrences that overlap a period of instants, in order, cancelled ones too. Throws `TooMuch` where the effort is
 * spent.
 */
export function occurrencesOf(event: Timed, from: number, to: number, viewer: string, effort: Effort): Occurrence[] {
  const { starts, rule, more_dates = [], left_out = [], changed = [] } = event
  const zone = event.zone ?? viewer
  if (!rule && changed.length + more_dates.length === 0 && isApart(event, from, to)) return []
  const lasts = durationOf(starts, event.ends)
  const isRegular = more_dates.length === 0 && left_out.length === 0 && changed.length === 0
  if (isRegular && !rule) return placed(starts, starts, lasts, zone).filter(overlaps(from, to))
  if (isRegular) return regular(event, lasts, zone, from, to, effort)
  const gone = new Set(left_out.map(text => keyOf(text, zone, starts)))
  const own = new Map(changed.map(change => [keyOf(change.occurrence, zone, starts), change]))
  const [lows, highs] = spread(changed, lasts)
  const found: Occurrence[] = []
  let moved: { by: number; lasts: number } | undefined
  for (const text of candidates(event, zone, from - highs, to - lows, effort)) {
    const key = keyOf(text, zone, starts)
    if (gone.has(key)) continue
    const change = own.get(key)
    own.delete(key)
    const begins = change?.starts ?? (moved ? shifted(text, moved.by) : text)
    const length = change?.starts
      ? durationOf(change.starts, change.ends ?? ending(change.starts, lasts))
      : moved?.lasts
    if (change?.and_future && change.starts)
      moved = { by: localOf(change.starts) - localOf(text), lasts: length ?? lasts }
    for (const one of placed(text, begins, length ?? lasts, zone)) found.push(change ? { ...one, change } : one)
  }
  // A change may be of an occurrence that lies far from where it takes place now; of none, it says nothing.
  for (const [key, change] of own) {
    if (!change.starts || gone.has(key)) continue
    const at = localOf(change.occurrence)
    const near = [...candidates(event, zone, at - FAR, at + FAR, effort)]
    if (!near.some(text => keyOf(text, zone, starts) === key)) continue
    const length = durationOf(change.starts, change.ends ?? ending(change.starts, lasts))
    for (const one of placed(change.occurrence, change.starts, length, zone)) found.push({ ...one, change })
  }
  return found.filter(overlaps(from, to)).toSorted((a, b) => a.start - b.start)
}

/** Whether an event that takes place once lies apart from a period, in any zone: texts of times sort as times do. */
function isApart({ starts, ends }: Timed, from: number, to: number): boolean {
  if (bounds.from !== from || bounds.to !== to)
    bounds = { from, to, low: localText(from - FAR), high: localText(to + FAR) }
  return starts > bounds.high || (ends ?? starts) < bounds.low
}

let bounds = { from: Number.NaN, to: Number.NaN, low: '', high: '' }

/** The occurrences of a rule without any exception: the times alone are looked at, which most events have. */
function regular(event: Timed, lasts: number, zone: string, from: number, to: number, effort: Effort): Occurrence[] {
  const { starts } = event
  const [isDay, isUtc] = [starts.length === DAY, starts.endsWith('Z') || zone === 'UTC']
  const at = (local: number) => (isUtc ? local : instantIn(zone, local))
  const found: Occurrence[] = []
  let last = Number.NaN
  for (const local of localsOf(event, zone, from - lasts - FAR, to + FAR, effort)) {
    if (local === last || local > to + FAR || local + lasts < from - FAR) continue
    last = local
    const start = at(local)
    const end = lasts === 0 ? start : Math.max(start, at(local + lasts))
    if (start >= to || !(end > from || (end === start && start >= from))) continue
    const text = isDay ? localText(local).slice(0, DAY) : localText(local) + starts.slice(19)
    found.push({ occurrence: text, start, end, starts: text })
  }
  return found
}

const localsOf = (
  { starts, rule }: Timed,
  zone: string,
  from: number,
  to: number,
  effort: Effort,
): Iterable<number> => {
  const parsed = ruleOf(rule)
  return parsed ? ruled(parsed, localOf(starts), zone, from, to, effort) : [localOf(starts)]
}

/** Up to when an event can take place, as seconds: without an end that is `Infinity`. */
export function spanOf(event: Timed): { readonly from: number; readonly to: number } {
  const { starts, rule, more_dates = [], changed = [] } = event
  const lasts = durationOf(starts, event.ends)
  const texts = [starts, ...more_dates, ...changed.flatMap(each => each.starts ?? [])]
  const ends = changed.flatMap(({ ends: end }) => (end ? [localOf(end)] : []))
  const locals = texts.map(localOf)
  const parsed = ruleOf(rule)
  const until = parsed ? (parsed.until ?? Number.POSITIVE_INFINITY) : Number.NEGATIVE_INFINITY
  const last = Math.max(...locals, until)
  return { from: Math.min(...locals) - FAR, to: Math.max(last + lasts, ...ends) + FAR }
}

/** Rules are few and events many. */
const rules = new Map<string, Rule | undefined>()
const RULES_MAX = 10_000

function ruleOf(text: string | null | undefined): Rule | undefined {
  if (!text) return undefined
  if (rules.has(text)) return rules.get(text)
  if (rules.size >= RULES_MAX) rules.clear()
  const parsed = parseRule(text)
  const rule = typeof parsed === 'string' ? undefined : parsed
  rules.set(text, rule)
  return rule
}

const overlaps =
  (from: number, to: number) =>
  ({ start, end }: Occurrence): boolean =>
    start < to && (end > from || (end === start && start >= from))

/** Seconds that something lasts: a day without an end lasts one, a time without an end none. */
function durationOf(starts: string, ends: string | null | undefined): number {
  if (!ends) return starts.length === DAY ? DAY_SECONDS : 0
  const lasts = localOf(ends) - localOf(starts)
  return Math.max(0, lasts)
}

const ending = (starts: string, lasts: number) => shifted(starts, lasts)

/** How far changes and durations move occurrences to the front and to the back. */
function spread(changed: readonly Change[], lasts: number): readonly [number, number] {
  const moves = changed.flatMap(({ occurrence, starts, and_future }) =>
    and_future && starts ? [localOf(starts) - localOf(occurrence)] : [],
  )
  return [Math.min(0, ...moves) - FAR, Math.max(0, ...moves) + lasts + FAR]
}

/** The texts of the start, of the times of the rule and of further dates that may lie in a period, in order. */
function* candidates(event: Timed, zone: string, from: number, to: number, effort: Effort): Generator<string> {
  const { starts, more_dates = [] } = event
  const further = [...new Set(more_dates)].toSorted((a, b) => localOf(a) - localOf(b))
  const isDay = starts.length === DAY
  const text = (local: number) => (isDay ? localText(local).slice(0, DAY) : localText(local) + starts.slice(19))
  const seen = new Set<string>()
  const fresh = (one: string) => {
    const key = keyOf(one, zone, starts)
    return seen.has(key) ? false : seen.add(key) !== undefined
  }
  const named = localsOf(event, zone, from, to, effort)
  let at = 0
  for (const local of named) {
    while (at < further.length && localOf(further[at]!) <= local) if (fresh(further[at++]!)) yield further[at - 1]!
    if (fresh(text(local))) yield text(local)
  }
  for (; at < further.length; at += 1) if (fresh(further[at]!)) yield further[at]!
}

/** Local times of a rule, the start first, up to the end of the period. */
function* ruled(rule: Rule, start: number, zone: string, from: number, to: number, effort: Effort): Generator<number> {
  const { count = Number.POSITIVE_INFINITY, until = Number.POSITIVE_INFINITY, untilIsUtc } = rule
  let number = 0
  const low = rule.count === undefined ? Math.max(start, from) : start
  if (low > start) yield start
  for (const local of occurrences(rule, start, low)) {
    if (number === 0 && local > start && low === start) {
      number += 1
      yield start
    }
    effort.left -= 1
    if (effort.left < 0) throw new TooMuch('there is too much to look at')
    if (local > to || number >= count) return
    if ((untilIsUtc ? local - offsetAt(zone, local) : local) > until) return
    number += 1
    yield local
  }
  if (number === 0 && low === start) yield start
}

/** A text moved by so many seconds of the clock on the wall. */
function shifted(text: string, by: number): string {
  const moved = localText(localOf(text) + by)
  return text.length === DAY ? moved.slice(0, DAY) : moved + text.slice(19)
}

/** Seconds by the clock on the wall; of an instant, those in UTC. */
export const localOf = (text: string): number =>
  secondsOf(text.length === DAY ? `${text}T00:00:00` : text.slice(0, 19)) ?? 0

/** The instant of a local time; of one that the clocks leave out, by the offset before. */
const instantIn = (zone: string, local: number): number =>
  instantOf(zone, local) ?? local - offsetAt(zone, local - DAY_SECONDS)

/** The instant of a text. */
export function instantAt(text: string, zone: string): number {
  const local = localOf(text)
  if (text.endsWith('Z') || zone === 'UTC') return local
  return instantIn(zone, local)
}

/** What tells that two texts mean one time; a day means all times of it where the series has times, and none else. */
function keyOf(text: string, zone: string, starts: string): string {
  if (text.length === DAY || starts.length === DAY) {
    const day = text.slice(0, DAY)
    return starts.length === DAY ? day : String(instantAt(`${day}${starts.slice(DAY)}`, zone))
  }
  return String(instantAt(text, zone))
}

function placed(occurrence: string, starts: string, lasts: number, zone: string): Occurrence[] {
  const start = instantAt(starts, zone)
  const end = lasts === 0 ? start : instantAt(shifted(starts, lasts), zone)
  return [{ occurrence, start, end: Math.max(start, end), starts }]
}
