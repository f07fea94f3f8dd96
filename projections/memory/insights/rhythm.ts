/** When memories come: by hour and weekday in UTC, and after which gaps those of one source come again. */
import type { Member } from './member.ts'

export type Rhythm = {
  /** Memories of each hour, from 0 to 23, and of each weekday, from Monday on. */
  readonly by_hour: readonly number[]
  readonly by_weekday: readonly number[]
  readonly recurring_gaps: readonly Recurring[]
}

/** Memories of a source that come again and again after as many days. */
export type Recurring = {
  readonly kind: string
  readonly source: string
  readonly days: number
  /** Gaps that are so long, give or take a tenth, and all gaps of the source. */
  readonly times: number
  readonly gaps: number
  readonly last_on: string
  /** The day on which the next one would come. */
  readonly next_on: string
}

const DAY_MS = 86_400_000
const GAPS_MIN = 3
/** The part of gaps that must be alike. */
const ALIKE_MIN = 0.75
const SHOWN = 20

export function rhythmOf(members: readonly Member[]): Rhythm {
  const [by_hour, by_weekday] = [new Array<number>(24).fill(0), new Array<number>(7).fill(0)]
  const days = new Map<string, Set<number>>()
  const known = new Map<string, number>()
  for (const { traits } of members) {
    const date = traits.at.slice(0, 10)
    const day = known.get(date) ?? Math.floor(Date.parse(`${date}T00:00:00Z`) / DAY_MS)
    known.set(date, day)
    by_hour[Number(traits.at.slice(11, 13))]! += 1
    // 1 January 1970 was a Thursday.
    by_weekday[(((day + 3) % 7) + 7) % 7]! += 1
    if (traits.source === undefined) continue
    const key = `${traits.kind} ${traits.source}`
    const own = days.get(key) ?? new Set()
    days.set(key, own.add(day))
  }
  const recurring = [...days].flatMap(
    ([key, own]) =>
      recurringOf(
        key,
        [...own].sort((a, b) => a - b),
      ) ?? [],
  )
  const order = (a: Recurring, b: Recurring) => b.times - a.times || (keyOf(a) < keyOf(b) ? -1 : 1)
  return { by_hour, by_weekday, recurring_gaps: recurring.sort(order).slice(0, SHOWN) }
}

const keyOf = ({ kind, source }: Recurring) => `${kind} ${source}`

/** The gap that most neighbouring days have, by their median; `undefined` where too few are alike. */
export function recurringOf(key: string, days: readonly number[]): Recurring | undefined {
  const gaps = days.slice(1).map((day, at) => day - days[at]!)
  if (gaps.length < GAPS_MIN) return undefined
  const usual = gaps.toSorted((a, b) => a - b)[(gaps.length - 1) >> 1]!
  const times = gaps.filter(gap => Math.abs(gap - usual) <= usual / 10).length
  if (times < GAPS_MIN || times < ALIKE_MIN * gaps.length) return undefined
  const [kind, ...source] = key.split(' ')
  const last = days.at(-1)!
  const on = (day: number) => new Date(day * DAY_MS).toISOString().slice(0, 10)
  return {
    kind: kind!,
    source: source.join(' '),
    days: usual,
    times,
    gaps: gaps.length,
    last_on: on(last),
    next_on: on(last + usual),
  }
}
