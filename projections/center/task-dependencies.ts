import type { z } from 'zod'
import { LINK_KINDS } from '../../domain/center/plan/network.ts'
import { events } from '../../domain/center/taskgraph/messages.ts'
import type { DomainEvent } from '../../domain/kernel/event.ts'
import { id, object, oneOf, timestamp, unsigned64 } from '../../domain/kernel/schema.ts'
import { number } from '../../domain/record/measures.ts'
import { type Handlers, projection } from '../rows/projection.ts'
import { idOf, speltAs } from '../rows/spellings.ts'
import { tasks } from './tasks.ts'

const row = object({
  org: id('org'),
  task: id('task'),
  dependency: id('task').meta({ description: 'the task that it depends on' }),
  type: oneOf(...LINK_KINDS),
  lag: number(-100_000, 100_000).meta({ description: 'hours between the two; below zero they overlap' }),
  revision: unsigned64,
  created_at: timestamp,
})
type Row = z.output<typeof row>
type Ends = { readonly task: string; readonly dependency: string }
type Whole = Ends & Pick<Row, 'type' | 'lag'>

const keys = ({ data, metadata: { org } }: DomainEvent<string, Ends>) => [
  { org, task: data.task, dependency: data.dependency },
]
const fold = (row: Row | undefined, { data, revision, metadata: { org, at } }: DomainEvent<string, Whole>) => ({
  org,
  ...data,
  revision,
  created_at: row?.created_at ?? at,
})

const on: Handlers<Row, typeof events> = {
  DependencyAdded: { keys, fold },
  DependencyChanged: { keys, fold },
  DependencyRemoved: { keys, fold: () => null },
}

/** One row per dependency of a task on another one. */
export const taskDependencies = projection({
  name: 'task_dependencies',
  service: 'center',
  version: 1,
  history: true,
  of: { taskgraph: events },
  row,
  key: ['org', 'task', 'dependency'],
  isOfOthers: true,
  computed: {
    id: idOf('task', 'dependency'),
    ...speltAs(row.shape, { task_id: 'task', depends_on_task_id: 'dependency', dependency_type: 'type' }),
  },
  on,
  reads: [
    {
      one: 'task dependency',
      many: 'task dependencies',
      path: '/tasks/:task/dependencies',
      permission: 'tasks.read',
      parents: { task: 'task' },
      within: tasks,
      names: ['dependency'],
      order: ['dependency'],
      groups: ['type'],
      summary: { list: 'The tasks that a task depends on.', get: 'How a task depends on another one.' },
    },
    {
      one: 'dependency',
      many: 'dependencies',
      path: '/dependencies',
      permission: 'tasks.read',
      names: [],
      order: ['task', 'dependency'],
      filters: ['task', 'dependency'],
      groups: ['type'],
      summary: { list: 'How tasks depend on one another, over all projects.' },
    },
  ],
})
