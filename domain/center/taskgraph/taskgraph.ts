import { aggregate, type Decide, type EventOf, type Evolve } from '../../kernel/aggregate.ts'
import { rejected } from '../../kernel/errors.ts'
import { type Keyed, memberOf, noneKeyed, withMember, withoutMember } from '../../record/keyed.ts'
import { mention, said } from '../../record/said.ts'
import type { LinkKind } from '../plan/network.ts'
import { commands, events, rejections } from './messages.ts'

/** Dependencies of one task, tasks that depend on one, and dependencies of all tasks: they stand in one state. */
const OF_TASK_MAX = 500
const ON_TASK_MAX = 2_000
const DEPENDENCIES_MAX = 200_000
/** Dependencies that one command forgets: an event each, and an append has an end. */
const FORGOTTEN_MAX = 250
/** How often a removed task has to be forgotten until nothing is left of it. */
export const FORGET_TIMES = Math.ceil(DEPENDENCIES_MAX / FORGOTTEN_MAX)

type Dependency = { readonly type: LinkKind; readonly lag: number }

/** What each task depends on, and which tasks depend on each. */
export type TaskGraph = {
  readonly status: 'empty' | 'open'
  readonly dependencies: Keyed<Readonly<Record<string, Dependency>>>
  readonly dependents: Keyed<readonly string[]>
  readonly count: number
}

const evolve: Evolve<TaskGraph, typeof events> = {
  DependencyAdded(graph, { task, dependency, type, lag }) {
    const own = { ...memberOf(graph.dependencies, task), [dependency]: { type, lag } }
    const others = [...(memberOf(graph.dependents, dependency) ?? []), task]
    return {
      status: 'open',
      dependencies: withMember(graph.dependencies, task, own),
      dependents: withMember(graph.dependents, dependency, others),
      count: graph.count + 1,
    }
  },
  DependencyChanged(graph, { task, dependency, type, lag }) {
    const own = { ...memberOf(graph.dependencies, task), [dependency]: { type, lag } }
    return { ...graph, dependencies: withMember(graph.dependencies, task, own) }
  },
  DependencyRemoved(graph, { task, dependency }) {
    const { [dependency]: _, ...own } = memberOf(graph.dependencies, task) ?? {}
    const others = (memberOf(graph.dependents, dependency) ?? []).filter(other => other !== task)
    return {
      ...graph,
      dependencies:
        Object.keys(own).length > 0
          ? withMember(graph.dependencies, task, own)
          : withoutMember(graph.dependencies, task),
      dependents:
        others.length > 0
          ? withMember(graph.dependents, dependency, others)
          : withoutMember(graph.dependents, dependency),
      count: graph.count - 1,
    }
  },
}

const decide: Decide<TaskGraph, typeof commands, typeof events> = {
  addDependency(graph, { task, dependency, type, lag }) {
    const own = memberOf(graph.dependencies, task) ?? {}
    const before = Object.hasOwn(own, dependency) ? own[dependency] : undefined
    const data = { task, dependency, type, lag }
    if (before) return before.type === type && before.lag === lag ? [] : [{ type: 'DependencyChanged', data }]
    if (Object.keys(own).length >= OF_TASK_MAX) {
      throw rejected('dependencies_too_many', `A task depends on at most ${OF_TASK_MAX} others.`)
    }
    if ((memberOf(graph.dependents, dependency)?.length ?? 0) >= ON_TASK_MAX) {
      throw rejected('dependencies_too_many', `At most ${ON_TASK_MAX} tasks depend on one.`)
    }
    if (graph.count >= DEPENDENCIES_MAX) throw rejected('dependencies_full', 'There are as many as there can be.')
    const circle = wayBetween(graph, dependency, task)
    if (circle) {
      const way = [task, ...circle].slice(0, 20).join(' → ')
      throw rejected('dependency_circular', `Tasks would wait for one another: ${way}.`, { task, dependency })
    }
    return [{ type: 'DependencyAdded', data }]
  },
  removeDependency(graph, { task, dependency }) {
    if (!Object.hasOwn(memberOf(graph.dependencies, task) ?? {}, dependency)) {
      throw rejected('dependency_unknown', 'The task does not depend on that one.', { task, dependency })
    }
    return [removed(task, dependency)]
  },
  forgetTask: (graph, { task }) =>
    [
      ...Object.keys(memberOf(graph.dependencies, task) ?? {}).map(dependency => removed(task, dependency)),
      ...(memberOf(graph.dependents, task) ?? []).map(other => removed(other, task)),
    ].slice(0, FORGOTTEN_MAX),
}

/**
 * How the tasks of an org depend on one another, over all projects. They stand in one stream, so that whatever happens
 * at the same time, no circle comes to be.
 */
export const taskGraph = aggregate({
  name: 'taskgraph',
  only: 'tasks',
  events,
  commands,
  api: {
    addDependency: [
      'POST /tasks/:task/dependencies',
      'tasks.write',
      'Make a task depend on another one, also of another project, or change how it does.',
      '/tasks/:task/dependencies/:dependency',
    ],
    removeDependency: [
      'DELETE /tasks/:task/dependencies/:dependency',
      'tasks.write',
      'Make a task depend on another one no more.',
    ],
    forgetTask: 'internal',
  },
  rejections,
  initial: { status: 'empty', dependencies: noneKeyed, dependents: noneKeyed, count: 0 } as TaskGraph,
  evolve,
  decide,
  stateSchema: 1,
  spellings: {
    depends_on: 'dependency',
    depends_on_task_id: 'dependency',
    dependency_type: 'type',
  },
  activity: {
    on: {
      DependencyAdded: ({ task, dependency }) =>
        said`made the task ${mention('task', task)} depend on ${mention('task', dependency)}`,
      DependencyChanged: ({ task, dependency }) =>
        said`changed how the task ${mention('task', task)} depends on ${mention('task', dependency)}`,
      DependencyRemoved: ({ task, dependency }) =>
        said`made the task ${mention('task', task)} depend on ${mention('task', dependency)} no more`,
    },
  },
})

const removed = (task: string, dependency: string): EventOf<typeof events> => ({
  type: 'DependencyRemoved',
  data: { task, dependency },
})

/** The tasks from one to another along what each depends on; `undefined` where none leads there. */
function wayBetween({ dependencies }: TaskGraph, from: string, to: string): readonly string[] | undefined {
  const cameFrom = new Map<string, string | undefined>([[from, undefined]])
  for (const task of cameFrom.keys()) {
    if (task === to) {
      const way: string[] = []
      for (let at: string | undefined = task; at !== undefined; at = cameFrom.get(at)) way.unshift(at)
      return way
    }
    for (const next of Object.keys(memberOf(dependencies, task) ?? {})) {
      if (!cameFrom.has(next)) cameFrom.set(next, task)
    }
  }
  return undefined
}
