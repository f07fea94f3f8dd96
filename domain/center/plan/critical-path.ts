/** The critical path method (Kelley and Walker, 1959) for the four kinds of dependency with lags. */
import { invariant } from '../../kernel/errors.ts'
import { type Bounds, boundsOf, type Network, topologicalOrder } from './network.ts'

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
export function criticalPath(network: Network): CriticalPath {
  const { durations } = network
  const bounds = boundsOf(network)
  const order = topologicalOrder(bounds)
  invariant(order, 'a network with a circle has no critical path')
  const earliest = earliestStarts(bounds, order)
  const length = durations.reduce((end, duration, job) => Math.max(end, earliest[job]! + duration), 0)
  const latest = latestStarts(bounds, order, durations, length)
  return { length, earliest, latest, slack: latest.map((start, job) => start - earliest[job]!) }
}

function earliestStarts({ before }: Bounds, order: readonly number[]): number[] {
  const starts = before.map(() => 0)
  for (const job of order) {
    for (const { job: first, gap } of before[job]!) starts[job] = Math.max(starts[job]!, starts[first]! + gap)
  }
  return starts
}

/** The latest start of each job, so that all of them end by `end`. */
function latestStarts(
  { after }: Bounds,
  order: readonly number[],
  durations: readonly number[],
  end: number,
): number[] {
  const starts = durations.map(duration => end - duration)
  for (const job of order.toReversed()) {
    for (const { job: next, gap } of after[job]!) starts[job] = Math.min(starts[job]!, starts[next]! - gap)
  }
  return starts
}
