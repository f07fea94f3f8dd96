/** The tasks and dependencies of projects that were planned, kept for as long as events leave them as they are. */
import { LRUCache } from 'lru-cache'
import type { Link, LinkKind } from '../../domain/center/plan/network.ts'
import type { Stage } from '../../domain/center/workflow/built-in.ts'

/** Plans are made of whole hundredths of an hour, so that sums are exact. */
export const UNITS = 100

/** What a plan needs of a task. */
export type Task = readonly [
  id: string,
  name: string,
  project: string | null,
  assignee: string | null,
  estimate: number | null,
  minutes: number,
  stage: Stage,
]
/** A dependency as it is stored. */
export type Dependency = readonly [task: string, dependency: string, kind: LinkKind, lag: number]
/** An event since then: the id of its task, or the task whose dependencies it changed. */
export type Since = readonly [category: string, id: string, task: string | null]

/** The tasks of a plan in the order of their ids, and how they depend on one another. */
export type Tasks = {
  readonly tasks: readonly Task[]
  readonly places: ReadonlyMap<string, number>
  readonly links: readonly Link[]
  /** Tasks that others depend on and that are in no plan: cancelled or removed ones. */
  readonly left: ReadonlySet<string>
}

/** What is kept: as of a position, from tables that have not been exchanged since. */
type Kept = Tasks & { readonly position: bigint; readonly tables: string }

/** Tasks and links of all networks that are kept, some 20 MB; and how long one is believed after it was read. */
const SIZE_MAX = 100_000
const AGE_MAX_MS = 600_000
/** Events that are looked through for a network: behind more of them it is read anew. */
export const SINCE_MAX = 2_000

export function tasksOf(tasks: readonly Task[], dependencies: readonly Dependency[]): Tasks {
  const places = new Map(tasks.map(([id], at) => [id, at]))
  const left = new Set<string>()
  const links: Link[] = []
  for (const [task, dependency, kind, lag] of dependencies) {
    const [to, from] = [places.get(task), places.get(dependency)]
    if (to === undefined) left.add(task)
    if (from === undefined) left.add(dependency)
    if (to !== undefined && from !== undefined) links.push({ from, to, kind, lag: Math.round(lag * UNITS) })
  }
  return { tasks, places, links, left }
}

/** Networks by organization and project, those that were not asked for longest forgotten first. */
export class Networks {
  readonly #kept: LRUCache<string, Kept>

  constructor(perf: { readonly now: () => number } = performance) {
    const sizeCalculation = ({ tasks, links }: Kept) => 1 + tasks.length + links.length
    this.#kept = new LRUCache({ maxSize: SIZE_MAX, sizeCalculation, ttl: AGE_MAX_MS, perf })
  }

  /** The position up to which a network knows all events; `undefined` where none is kept. */
  knownTo(org: string, project: string): bigint | undefined {
    return this.#kept.get(keyOf(org, project))?.position
  }

  keep(org: string, project: string, network: Kept): void {
    this.#kept.set(keyOf(org, project), network)
  }

  /**
   * The network with what events since then changed of its tasks; `undefined` where it has to be read anew: another
   * task came or went, dependencies changed, or the tables are others.
   */
  since(
    org: string,
    project: string,
    { since, changed, position, tables }: Pick<Kept, 'position' | 'tables'> & Changes,
  ): Tasks | undefined {
    const key = keyOf(org, project)
    const kept = this.#kept.get(key)
    if (!kept || kept.tables !== tables || position < kept.position) return undefined
    const now = new Map(changed.map(task => [task[0], task]))
    const tasks = [...kept.tasks]
    for (const [category, id, task] of since) {
      const named = category === 'task' ? id : task
      if (named === null || kept.left.has(named)) return undefined
      const [place, found] = [kept.places.get(named), now.get(named)]
      if (category !== 'task' && place !== undefined) return undefined
      const isOfProject = found !== undefined && found[2] === project && found[6] !== 'cancelled'
      if (place === undefined && !isOfProject) continue
      if (place === undefined || found === undefined || found[6] === 'cancelled') return undefined
      if (found[2] !== tasks[place]![2]) return undefined
      tasks[place] = found
    }
    const network = { ...kept, tasks, position }
    // Its age counts from when it was read as a whole.
    this.#kept.set(key, network, { noUpdateTTL: true })
    return network
  }
}

/** The events since a network was kept, and the tasks among their things as they are now. */
type Changes = { readonly since: readonly Since[]; readonly changed: readonly Task[] }

const keyOf = (org: string, project: string) => `${org}\0${project}`
