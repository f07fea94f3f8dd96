/**
 * Schedules within limits of resources. Jobs are placed one after another at the earliest time at which what they wait
 * for and what they need is there (the serial scheme of Kelley, 1963), in orders of several priority rules and of a
 * seeded chance; each schedule is then justified to the right and to the left, which mostly shortens it (Valls,
 * Ballestín and Quintanilla, 2005). The shortest one found is kept: never shorter than the best that there is.
 */
import { invariant } from '../../kernel/errors.ts'
import { criticalPath } from './critical-path.ts'
import { Heap } from './heap.ts'
import { type Bound, type Bounds, boundsOf, type Network, topologicalOrder } from './network.ts'
import { randomOf } from './random.ts'
import { type Need, Usage } from './usage.ts'

/** A network whose jobs need units of resources for as long as they last. */
export type ResourceNetwork = Network & {
  /** What each job needs, of each resource once: no more than its capacity. */
  readonly needs: readonly (readonly Need[])[]
  readonly capacities: readonly number[]
}

export type Schedule = { readonly length: number; readonly starts: readonly number[] }

/**
 * `tries`: schedules that are made beyond those of the priority rules. `steps`: once so many links and steps of
 * timelines were looked at, no further schedule is begun. The same seed gives the same schedule.
 */
export type Effort = { readonly tries: number; readonly seed: number; readonly steps?: number }

/** Throws `InvariantError` for a circle and for a job that needs more than there is. */
export function levelled(
  network: ResourceNetwork,
  { tries, seed, steps = Number.POSITIVE_INFINITY }: Effort,
): Schedule {
  const { durations, needs, capacities } = network
  for (const need of needs)
    invariant(
      need.every(([resource, units]) => units <= capacities[resource]!),
      'a job needs too much',
    )
  const bounds = boundsOf(network)
  const order = topologicalOrder(bounds)
  invariant(order, 'a network with a circle has no schedule')
  const { length: path, earliest, latest, slack } = criticalPath(network)
  const shortest = Math.max(path, leastOf(network))
  const work: Work = { network, bounds, order, spent: { steps: 0, most: steps } }
  const following = followers(bounds, order)
  const rules = [
    latest,
    latest.map((start, job) => start + durations[job]!),
    slack,
    earliest,
    following.map(count => -count),
    durations.map(duration => -duration),
  ]
  let best: Schedule | undefined
  const look = (keys: readonly number[]) => {
    const found = justified(work, placed(work, keys))
    if (!best || found.length < best.length) best = found
  }
  for (const keys of rules) {
    look(keys)
    if (best!.length <= shortest || isSpent(work)) return best!
  }
  const random = randomOf(seed)
  const spread = Math.max(1, best!.length / 3)
  for (let made = 0; made < tries && best!.length > shortest && !isSpent(work); made += 1) {
    const base = made % 2 === 0 ? latest : best!.starts
    const width = made % 2 === 0 ? spread : spread / 2
    look(base.map(start => start + random() * width))
  }
  return best!
}

type Work = {
  readonly network: ResourceNetwork
  readonly bounds: Bounds
  readonly order: readonly number[]
  readonly spent: { steps: number; readonly most: number }
}

const isSpent = ({ spent }: Work) => spent.steps >= spent.most

/** How long the resource lasts that most is to be done by, if it never waits: no schedule is shorter. */
function leastOf({ durations, needs, capacities }: ResourceNetwork): number {
  const totals = capacities.map(() => 0)
  for (const [job, need] of needs.entries()) {
    for (const [resource, units] of need) totals[resource]! += units * durations[job]!
  }
  return totals.reduce(
    (least, total, at) => (total > 0 ? Math.max(least, Math.ceil(total / capacities[at]!)) : least),
    0,
  )
}

/** How many paths lead on from each job: a cheap measure of how much waits for it. */
function followers({ after }: Bounds, order: readonly number[]): number[] {
  const counts = after.map(() => 0)
  for (const job of order.toReversed()) {
    counts[job] = after[job]!.reduce((sum, { job: next }) => Math.min(1e9, sum + 1 + counts[next]!), 0)
  }
  return counts
}

/** Places jobs as early as they can be, those with the lowest keys first as far as dependencies let them. */
function placed({ network, bounds, spent }: Work, keys: readonly number[]): Schedule {
  const { durations, needs, capacities } = network
  const usage = new Usage(capacities)
  const starts = durations.map(() => 0)
  let length = 0
  for (const job of orderedBy(bounds, keys)) {
    const ready = bounds.before[job]!.reduce((at, { job: first, gap }) => Math.max(at, starts[first]! + gap), 0)
    const start = usage.earliest(ready, durations[job]!, needs[job]!)
    usage.take(start, durations[job]!, needs[job]!)
    starts[job] = start
    length = Math.max(length, start + durations[job]!)
    spent.steps += 1 + bounds.before[job]!.length
  }
  spent.steps += usage.looked
  return { length, starts }
}

/** Justifies a schedule to the right, by its ends, and to the left again, by its starts, for as long as that helps. */
function justified(work: Work, schedule: Schedule): Schedule {
  let best = schedule
  while (!isSpent(work)) {
    const ends = best.starts.map((start, job) => -(start + work.network.durations[job]!))
    const right = placed(mirrored(work), ends)
    const found = placed(
      work,
      right.starts.map((start, job) => right.length - start - work.network.durations[job]!),
    )
    if (found.length >= best.length) return best
    best = found
  }
  return best
}

/** The same work looked at from its end: what waits for a job is what it waits for there. */
function mirrored({ network, bounds, order, spent }: Work): Work {
  const { durations } = network
  // Between the ends of two jobs, which are their starts there, lies the gap between their starts and their difference.
  const turned = (all: readonly (readonly Bound[])[], sign: 1 | -1) =>
    all.map((some, job) =>
      some.map(({ job: other, gap }) => ({ job: other, gap: gap + sign * (durations[other]! - durations[job]!) })),
    )
  return {
    network,
    bounds: { before: turned(bounds.after, 1), after: turned(bounds.before, -1) },
    order: order.toReversed(),
    spent,
  }
}

/** The jobs in an order that dependencies allow; of those that may come next the one with the lowest key. */
function* orderedBy({ before, after }: Bounds, keys: readonly number[]): Generator<number> {
  const waits = before.map(({ length }) => length)
  const ready = new Heap((a, b) => keys[a]! - keys[b]! || a - b)
  for (const [job, count] of waits.entries()) if (count === 0) ready.push(job)
  for (let job = ready.pop(); job !== undefined; job = ready.pop()) {
    yield job
    for (const { job: next } of after[job]!) {
      waits[next]! -= 1
      if (waits[next] === 0) ready.push(next)
    }
  }
}
