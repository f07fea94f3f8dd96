/** Ways through relations that hold for a time: each step at or after the one before it. */

/**
 * A relation of two entities. Times are RFC 3339 in UTC, with milliseconds; without `since` it held always, without
 * `until` it still does.
 */
export type Relation = {
  readonly from: string
  readonly type: string
  readonly to: string
  readonly since?: string | undefined
  readonly until?: string | undefined
  /** The key of the memory that says so. */
  readonly memory: string
}

/** A step of a way, and when it is taken at the earliest; `''` where that is before all times that are known. */
export type Step = { readonly relation: Relation; readonly at: string }

/** Whether a relation holds at a time. It holds from `since` on, and no more at `until`. */
const holdsAt = ({ since, until }: Relation, time: string): boolean =>
  (since === undefined || since <= time) && (until === undefined || time < until)

/**
 * The way that arrives first (Wu et al. 2014, earliest-arrival paths), none of whose steps is before the one before it
 * or before `start`; `undefined` where there is none. Relations are followed from `from` to `to`.
 */
export function firstPath(relations: Iterable<Relation>, from: string, to: string, start = ''): Step[] | undefined {
  const leaving = bySource(relations)
  const reached = new Map<string, { readonly at: string; readonly by?: Step }>([[from, { at: start }]])
  const done = new Set<string>()
  for (;;) {
    const next = earliest(reached, done)
    if (next === undefined) return undefined
    if (next === to) return wayTo(to, from, reached)
    done.add(next)
    const { at } = reached.get(next)!
    for (const relation of leaving.get(next) ?? []) {
      const taken = relation.since !== undefined && relation.since > at ? relation.since : at
      if (relation.until !== undefined && taken >= relation.until) continue
      const known = reached.get(relation.to)
      if (!known || taken < known.at) reached.set(relation.to, { at: taken, by: { relation, at: taken } })
    }
  }
}

/** What is related to an entity at a time, in either direction, at most `steps` relations away. */
export function neighbourhood(relations: Iterable<Relation>, of: string, time: string, steps = 1): Relation[] {
  const held = [...relations].filter(relation => holdsAt(relation, time)).sort(inOrder)
  const near = new Set([of])
  const found = new Set<Relation>()
  for (let step = 0; step < steps; step += 1) {
    const edge = held.filter(({ from, to }) => near.has(from) || near.has(to))
    for (const relation of edge) {
      found.add(relation)
      near.add(relation.from).add(relation.to)
    }
  }
  return held.filter(relation => found.has(relation))
}

/** Relations in an order that does not depend on how they came to be. */
export function inOrder(a: Relation, b: Relation): number {
  for (const field of ['from', 'type', 'to', 'since', 'until', 'memory'] as const) {
    const [left, right] = [a[field] ?? '', b[field] ?? '']
    if (left !== right) return left < right ? -1 : 1
  }
  return 0
}

function bySource(relations: Iterable<Relation>): Map<string, Relation[]> {
  const leaving = new Map<string, Relation[]>()
  for (const relation of [...relations].sort(inOrder)) {
    const list = leaving.get(relation.from)
    if (list) list.push(relation)
    else leaving.set(relation.from, [relation])
  }
  return leaving
}

type Reached = ReadonlyMap<string, { readonly at: string; readonly by?: Step }>

function earliest(reached: Reached, done: ReadonlySet<string>): string | undefined {
  let [best, bestAt]: [string | undefined, string] = [undefined, '']
  for (const [name, { at }] of reached) {
    if (!done.has(name) && (best === undefined || at < bestAt)) [best, bestAt] = [name, at]
  }
  return best
}

function wayTo(to: string, from: string, reached: Reached): Step[] {
  const way: Step[] = []
  for (let at = to; at !== from; ) {
    const step = reached.get(at)!.by!
    way.unshift(step)
    at = step.relation.from
  }
  return way
}
