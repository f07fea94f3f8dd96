/** Networks of jobs with durations and dependencies: what plans are made of. */

/** The four kinds of dependency: which end of the first job the second one's start or finish waits for. */
export const LINK_KINDS = ['finish_start', 'start_start', 'finish_finish', 'start_finish'] as const
export type LinkKind = (typeof LINK_KINDS)[number]

/** `to` waits for `from`, both by their place in the list of jobs; `lag`: units of time between, also below zero. */
export type Link = { readonly from: number; readonly to: number; readonly kind: LinkKind; readonly lag: number }

/** Whole units of time of each job, and how the jobs depend on one another. */
export type Network = { readonly durations: readonly number[]; readonly links: readonly Link[] }

/** A link as a bound on starts: `to` starts at least `gap` after `from` starts. */
export type Bound = { readonly job: number; readonly gap: number }

/** The bounds of a network by job: those that it waits for, and those that wait for it. */
export type Bounds = { readonly before: readonly (readonly Bound[])[]; readonly after: readonly (readonly Bound[])[] }

export function boundsOf({ durations, links }: Network): Bounds {
  const before: Bound[][] = durations.map(() => [])
  const after: Bound[][] = durations.map(() => [])
  for (const { from, to, kind, lag } of links) {
    const gap = gapOf(kind, durations[from]!, durations[to]!) + lag
    before[to]!.push({ job: from, gap })
    after[from]!.push({ job: to, gap })
  }
  return { before, after }
}

/** How long after the start of the first job of a link the second one starts at the earliest, without its lag. */
export function gapOf(kind: LinkKind, first: number, second: number): number {
  if (kind === 'finish_start') return first
  if (kind === 'start_start') return 0
  return kind === 'finish_finish' ? first - second : -second
}

/** An order in which each job comes after all that it waits for; `undefined` where jobs wait for one another. */
export function topologicalOrder({ before, after }: Bounds): readonly number[] | undefined {
  const waits = before.map(({ length }) => length)
  const order = waits.flatMap((count, job) => (count === 0 ? [job] : []))
  for (const job of order) {
    for (const { job: next } of after[job]!) {
      waits[next]! -= 1
      if (waits[next] === 0) order.push(next)
    }
  }
  return order.length === before.length ? order : undefined
}
