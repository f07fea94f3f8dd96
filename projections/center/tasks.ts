import type { z } from 'zod'
import { events } from '../../domain/center/task/messages.ts'
import { date, id, object, oneOf, text, timestamp, unsigned64 } from '../../domain/kernel/schema.ts'
import { type Handlers, keyOfThing, known, projection } from '../rows/projection.ts'

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
type Row = z.output<typeof row>

/** Folds a change into a row that must be there, and stamps it. */
const change = <D>(changes: (row: Row, data: D, at: string) => Partial<Row>) => ({
  keys: keyOfThing,
  fold: (row: Row | undefined, event: Parameters<typeof known>[1] & { readonly data: D }): Row => {
    const before = known(row, event)
    const { revision, metadata } = event
    return { ...before, ...changes(before, event.data, metadata.at), revision, updated_at: metadata.at }
  },
})

const on: Handlers<Row, typeof events> = {
  TaskCreated: {
    keys: keyOfThing,
    fold: (_, { data: { dueOn, ...data }, metadata: { org, id, at }, revision }) => ({
      org,
      id,
      ...data,
      due_on: dueOn,
      status_changes: 0n,
      reassignments: 0n,
      team_changes: 0n,
      revision,
      created_at: at,
      updated_at: at,
      completed_at: data.status === 'completed' ? at : undefined,
    }),
  },
  TaskStatusChanged: change((row, { to }: { to: string }, at) => ({
    status: to,
    status_changes: row.status_changes + 1n,
    completed_at: to === 'completed' ? at : undefined,
  })),
  TaskAssigned: change((row, { to }: { to: string | null }) => ({
    assignee: to ?? undefined,
    reassignments: row.reassignments + 1n,
  })),
  TaskMovedToTeam: change((row, { to }: { to: string | null }) => ({
    team: to ?? undefined,
    team_changes: row.team_changes + 1n,
  })),
  TaskCompleted: change((row, _: { from: string }, at) => ({
    status: 'completed',
    status_changes: row.status_changes + 1n,
    completed_at: at,
  })),
}

/** One row per task. */
export const tasks = projection({
  name: 'tasks',
  version: 1,
  history: true,
  of: { task: events },
  row,
  key: ['org', 'id'],
  indexes: [
    ['org', 'status', 'id'],
    ['org', 'assignee', 'id'],
    ['org', 'team', 'id'],
    ['org', 'project', 'id'],
  ],
  on,
})
