/**
 * When work will be done: a Monte-Carlo simulation over what a team finished on the days before, which is then made
 * longer or shorter by how often its own earlier forecasts held.
 */
import { randomOf } from './random.ts'

/** What is simulated: how much was finished on each day before, oldest first, and how much is left. */
export type Outlook = {
  readonly daily: readonly number[]
  readonly left: number
  /** How often the days to come are made up; the same seed gives the same answer. */
  readonly runs: number
  readonly seed: number
  /** Days after which a run is given up: `DAYS_MAX` if left out. */
  readonly most?: number
}

/**
 * How many of the last days runs draw from, in turn, beside all of them: nobody knows whether the last week or the last
 * months say better how fast a team will be, and the spread of the answers has to show that.
 */
const SPANS = [7, 14, 30, Number.POSITIVE_INFINITY]
/**
 * Days after which a run is given up, ten years: a team that finishes next to nothing has no date. It bounds the cost
 * of a forecast as well, which is at most `runs` times as many days.
 */
export const DAYS_MAX = 3_650

/**
 * For each run, sorted, the number of days after which all that is left is done, the last of them included; `most`
 * for a run that was given up. `undefined` where nothing was finished on the days before. A run draws from a sample of
 * its days, with replacement: few days say little of how fast a team is (bootstrap; Efron, 1979).
 */
export function daysUntilDone({ daily, left, runs, seed, most = DAYS_MAX }: Outlook): readonly number[] | undefined {
  if (!daily.some(isSome)) return left <= 0 ? Array.from({ length: runs }, () => 0) : undefined
  const random = randomOf(seed)
  const one = (of: readonly number[]) => of[Math.floor(random() * of.length)]!
  const pools = SPANS.map(span => daily.slice(-span)).map(pool => (pool.some(isSome) ? pool : daily))
  const days = Array.from({ length: runs }, (_, run) => {
    const pool = pools[run % pools.length]!
    const sample = pool.map(() => one(pool))
    const drawn = sample.some(isSome) ? sample : pool
    let [done, day] = [0, 0]
    for (; done < left && day < most; day += 1) done += one(drawn)
    return day
  })
  return days.sort((a, b) => a - b)
}

const isSome = (done: number) => done > 0

/** The value that so many percent of the sorted values are not above (nearest rank). */
export const percentileOf = (sorted: readonly number[], percent: number): number =>
  sorted[Math.max(0, Math.ceil((percent / 100) * sorted.length) - 1)]!

/** Days on which forecasts are made again to learn from them, and days that the first of them draws from at least. */
export const LEARNT_DAYS = 365
const FIRST_DAYS = 14
/** How far one forecast that did not hold moves the next ones, in parts of their length. */
const GAIN = 0.01
/** Runs of a forecast that is made again, and days of all these runs together: they bound what learning costs. */
const RUNS = 100
const LEARNT_MAX = 5_000_000

/** An earlier day: the sorted days of a forecast that was made on it, and after how many days all was done. */
type Tried = { readonly days: readonly number[]; readonly actual: number }
export type Learnt = { readonly tried: readonly Tried[]; readonly step: number }

/**
 * Forecasts of as much work as is left, made again for each of the last days (every `step`th, where that takes long)
 * from nothing but the `history` days before it, as far as it is known when that much work was done.
 */
export function triedBefore(daily: readonly number[], { left, history }: { left: number; history: number }): Learnt {
  const ends = left > 0 ? endsOf(daily, left) : []
  const first = Math.max(FIRST_DAYS, daily.length - LEARNT_DAYS)
  const known = ends.flatMap((end, day) => (day >= first && end !== undefined ? [{ day, actual: end - day }] : []))
  const cost = known.reduce((sum, { actual }) => sum + RUNS * (actual + history), 0)
  const step = Math.max(1, Math.ceil(cost / LEARNT_MAX))
  const tried = known
    .filter((_, n) => (known.length - 1 - n) % step === 0)
    .flatMap(({ day, actual }) => {
      const before = daily.slice(Math.max(0, day - history), day)
      // Nobody has to know by how much a run is too long.
      const days = daysUntilDone({ daily: before, left, runs: RUNS, seed: day, most: Math.min(DAYS_MAX, 4 * actual) })
      return days ? [{ days, actual }] : []
    })
  return { tried, step }
}

/** The day, counted from the first one, before which work that begins on each day is done; `undefined`: not yet. */
function endsOf(daily: readonly number[], left: number): (number | undefined)[] {
  let [end, done] = [0, 0]
  return daily.map(today => {
    while (done < left && end < daily.length) done += daily[end++]!
    const isDone = done >= left
    done -= today
    return isDone ? end : undefined
  })
}

/**
 * How many times as long as simulated a forecast has to be, so that those of a percentile hold that often: longer after
 * each that did not hold, a little shorter after each that did (adaptive conformal inference; Gibbs and Candès, 2021;
 * Angelopoulos, Candès and Tibshirani, 2023). 1 where nothing can be learnt.
 */
export function stretchOf({ tried, step }: Learnt, percent: number): number {
  let stretch = 0
  for (const { days, actual } of tried) {
    const held = actual <= daysAt(days, percent, Math.exp(stretch))
    stretch += GAIN * step * ((held ? 0 : 1) - (1 - percent / 100))
  }
  return Math.exp(stretch)
}

/** The days of a percentile, so many times as long as simulated: whole ones, and no sooner than any run says. */
export const daysAt = (sorted: readonly number[], percent: number, stretch: number): number =>
  Math.max(sorted[0]!, Math.ceil(percentileOf(sorted, percent) * stretch - 1e-9))
