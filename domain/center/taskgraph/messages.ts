/** The storage and wire contract of dependencies between tasks: add, never rename. */
import { id, object, oneOf, ref } from '../../kernel/schema.ts'
import { number } from '../../record/measures.ts'
import { LINK_KINDS } from '../plan/network.ts'

const type = oneOf(...LINK_KINDS).meta({
  description: 'which end of the other task this one waits for, and with which of its own: finish_start, if left out',
})
const lag = number(-100_000, 100_000).meta({ description: 'hours between the two; below zero they overlap' })
const task = id('task')
const dependency = id('task').meta({ description: 'the task that it depends on' })

export const events = {
  DependencyAdded: object({ task, dependency, type, lag }),
  DependencyChanged: object({ task, dependency, type, lag }),
  DependencyRemoved: object({ task, dependency }),
} as const

export const commands = {
  addDependency: object({
    task: ref('task'),
    dependency: ref('task'),
    type: type.default('finish_start'),
    lag: lag.default(0),
  }).meta({ examples: [{ task: 'task-2', dependency: 'task-1', type: 'finish_start', lag: 8 }] }),
  removeDependency: object({ task, dependency }).meta({ examples: [{ task: 'task-2', dependency: 'task-1' }] }),
  forgetTask: object({ task }),
} as const

export const rejections = [
  'dependency_circular',
  'dependency_unknown',
  'dependencies_too_many',
  'dependencies_full',
] as const
