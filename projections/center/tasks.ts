import type { z } from 'zod'
import { events } from '../../domain/center/task/messages.ts'
import { date, id, object, oneOf, text, timestamp, unsigned64 } from '../../domain/kernel/schema.ts'
import { type Handlers, projection } from '../rows/projection.ts'
import { changed, made, removed } from '../rows/thing.ts'

const row = object({
  org: id('org'),
  id: id('task'),
  name: text(500),
  description: text(10_000).optional(),
  type: text(64).optional(),
  priority: oneOf('low', 'medium', 'high', 'critical').optional(),
  project: id('project').optional(),
  status: text(64),
  assignee: text(128).optional(),
  team: text(128).optional(),
  due_on: date.optional(),
  status_changes: unsigned64,
  reassignments: unsigned64,
  team_changes: unsigned64,
  revision: unsigned64,
  created_at: timestamp,
  updated_at: timestamp,
  completed_at: timestamp.optional(),
})

const on: Handlers<z.output<typeof row>, typeof events> = {
  TaskCreated: made(({ dueOn, ...data }, at) => ({
    ...data,
    due_on: dueOn,
    status_changes: 0n,
    reassignments: 0n,
    team_changes: 0n,
    created_at: at,
    completed_at: data.status === 'completed' ? at : undefined,
  })),
  TaskChanged: changed(({ dueOn, reason: _, name, ...changes }, row) => ({
    name: name ?? row.name,
    ...Object.fromEntries(Object.entries(changes).map(([field, value]) => [field, value ?? undefined])),
    due_on: dueOn === undefined ? row.due_on : (dueOn ?? undefined),
  })),
  TaskStatusChanged: changed(({ to }, row, at) => ({
    status: to,
    status_changes: row.status_changes + 1n,
    completed_at: to === 'completed' ? at : undefined,
  })),
  TaskAssigned: changed(({ to }, row) => ({ assignee: to ?? undefined, reassignments: row.reassignments + 1n })),
  TaskMovedToTeam: changed(({ to }, row) => ({ team: to ?? undefined, team_changes: row.team_changes + 1n })),
  TaskCompleted: changed((_, row, at) => ({
    status: 'completed',
    status_changes: row.status_changes + 1n,
    completed_at: at,
  })),
  TaskRemoved: removed,
  TaskDue: changed(() => ({})),
}

/** One row per task. */
export const tasks = projection({
  name: 'tasks',
  service: 'center',
  version: 2,
  history: true,
  of: { task: events },
  row,
  key: ['org', 'id'],
  on,
  reads: [
    {
      one: 'task',
      many: 'tasks',
      path: '/tasks',
      permission: 'tasks.read',
      names: ['id'],
      order: ['id'],
      filters: ['status', 'assignee', 'team', 'project', 'priority', 'due_on', 'created_at', 'completed_at'],
      groups: ['assignee', 'priority', 'project', 'status', 'team', 'type', 'due_on', 'created_at', 'completed_at'],
      sums: ['status_changes', 'reassignments', 'team_changes'],
      summary: { list: 'The tasks of the organization.', get: 'A task.' },
    },
  ],
  memory: {
    kind: 'task',
    on: {
      TaskCreated: { anew: ({ name, description }) => ({ title: name, body: description }) },
      TaskChanged: { revise: ({ name, description }) => ({ title: name, body: description }) },
      TaskRemoved: 'forget',
    },
  },
})
