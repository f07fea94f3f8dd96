/** Projections that cannot take an event, for tests of what operators do about it. */

import { tasks } from '../../projections/center/tasks.ts'
import type { AnyProjection } from '../../projections/rows/projection.ts'
import { History, randomHistory, thing } from './history.ts'

/** Tasks whose fold throws on a task of this name. */
export function faultyTasks(name: string, mended: () => boolean = () => false): AnyProjection {
  const created = tasks.on.TaskCreated as { keys: unknown; fold: (...args: never[]) => unknown }
  const broken = {
    keys: created.keys,
    fold: (...args: never[]) => {
      if (!mended() && (args[1] as unknown as { data: { name: string } }).data.name === name)
        throw new Error('cannot take this')
      return created.fold(...args)
    },
  }
  return { ...tasks, on: { ...tasks.on, TaskCreated: broken } } as unknown as AnyProjection
}

/** A history with one event that `faultyTasks('poison')` cannot take, in the middle of `org-1`. */
export function historyWithPoison() {
  const events = randomHistory({ seed: 11, count: 120 })
  const history = new History(events.at(-1)!.position)
  const poison = history.add(thing('task', 'org-1', 'poison'), 'TaskCreated', { name: 'poison', status: 'open' })
  for (let at = 0; at < 5; at += 1) {
    history.add(thing('task', `org-${at}`, `late-${at}`), 'TaskCreated', { name: 'late', status: 'open' })
  }
  return { events: [...events, ...history.events], poison }
}
