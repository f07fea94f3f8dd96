/** When work will be done: a Monte-Carlo simulation over what a team finished on the days before. */
import { randomOf } from './random.ts'

/** What is simulated: how much was finished on each day before, oldest first, and how much is left. */
export type Outlook = {
  readonly daily: readonly number[]
  readonly left: number
  /** How often the days to come are made up; the same seed gives the same answer. */
  readonly runs: number
  readonly seed: number
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
 * For each run, sorted, the number of days after which all that is left is done, the last of them included; `DAYS_MAX`
 * for a run that was given up. `undefined` where nothing was finished on the days before.
 */
export function daysUntilDone({ daily, left, runs, seed }: Outlook): readonly number[] | undefined {
  if (!daily.some(done => done > 0)) return left <= 0 ? Array.from({ length: runs }, () => 0) : undefined
  const random = randomOf(seed)
  const pools = SPANS.map(span => daily.slice(-span)).map(pool => (pool.some(done => done > 0) ? pool : daily))
  const days = Array.from({ length: runs }, (_, run) => {
    const pool = pools[run % pools.length]!
    let [done, day] = [0, 0]
    for (; done < left && day < DAYS_MAX; day += 1) done += pool[Math.floor(random() * pool.length)]!
    return day
  })
  return days.sort((a, b) => a - b)
}

/** The value that so many percent of the sorted values are not above (nearest rank). */
export const percentileOf = (sorted: readonly number[], percent: number): number =>
  sorted[Math.max(0, Math.ceil((percent / 100) * sorted.length) - 1)]!
