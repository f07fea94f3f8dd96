/** The critical path method (Kelley and Walker, 1959) for the four kinds of dependency with lags. */
import { invariant } from '../../kernel/errors.ts'
import { gapOf, type Network } from './network.ts'

/** When each job can and must start, in units of time from the start of the project, which is zero. */
export type CriticalPath = {
  /** The end of the last job. */
  readonly length: number
  readonly earliest: readonly number[]
  readonly latest: readonly number[]
  /** How much later each job may start without a later end of the whole; a job without slack is critical. */
  readonly slack: readonly number[]
}

/** Throws `InvariantError` for a network in which jobs wait for one another. */
export function criticalPath({ durations, links }: Network): CriticalPath {
  const { first, next, gaps, waits } = followersOf({ durations, links })
  const earliest = durations.map(() => 0)
  const order = new Int32Array(durations.length)
  let found = 0
  for (const [job, count] of waits.entries()) if (count === 0) order[found++] = job
  for (let at = 0; at < found; at += 1) {
    const job = order[at]!
    for (let link = first[job]!; link < first[job + 1]!; link += 1) {
      const other = next[link]!
      earliest[other] = Math.max(earliest[other]!, earliest[job]! + gaps[link]!)
      waits[other]! -= 1
      if (waits[other] === 0) order[found++] = other
    }
  }
  invariant(found === durations.length, 'a network with a circle has no critical path')
  const length = durations.reduce((end, duration, job) => Math.max(end, earliest[job]! + duration), 0)
  const latest = durations.map(duration => length - duration)
  for (const job of order.reverse()) {
    for (let link = first[job]!; link < first[job + 1]!; link += 1) {
      latest[job] = Math.min(latest[job]!, latest[next[link]!]! - gaps[link]!)
    }
  }
  return { length, earliest, latest, slack: latest.map((start, job) => start - earliest[job]!) }
}

/**
 * The jobs that follow each job, in arrays of numbers: those of `job` stand from `first[job]` to before
 * `first[job + 1]` in `next`, and start at least so much later in `gaps`. `waits`: how many each job waits for.
 */
function followersOf({ durations, links }: Network) {
  const first = new Int32Array(durations.length + 1)
  for (const { from } of links) first[from + 1]! += 1
  for (let job = 0; job < durations.length; job += 1) first[job + 1]! += first[job]!
  const free = first.slice()
  const [next, gaps] = [new Int32Array(links.length), new Float64Array(links.length)]
  const waits = new Int32Array(durations.length)
  for (const { from, to, kind, lag } of links) {
    const place = free[from]!
    free[from]! += 1
    next[place] = to
    gaps[place] = gapOf(kind, durations[from]!, durations[to]!) + lag
    waits[to]! += 1
  }
  return { first, next, gaps, waits }
}
