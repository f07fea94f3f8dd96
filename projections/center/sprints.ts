import type { z } from 'zod'
import { events } from '../../domain/center/sprint/messages.ts'
import { date, id, object, oneOf, text, timestamp, unsigned64 } from '../../domain/kernel/schema.ts'
import { type Handlers, projection } from '../rows/projection.ts'
import { speltAs } from '../rows/spellings.ts'
import { changed, made, removed } from '../rows/thing.ts'

const row = object({
  org: id('org'),
  id: id('sprint'),
  project: id('project').optional(),
  name: text(255),
  goal: text(10_000).optional(),
  start_date: date,
  end_date: date,
  status: oneOf('planned', 'active', 'completed'),
  revision: unsigned64,
  created_at: timestamp,
  updated_at: timestamp,
  started_at: timestamp.optional(),
  completed_at: timestamp.optional(),
})

const on: Handlers<z.output<typeof row>, typeof events> = {
  SprintPlanned: made((data, at) => ({ ...data, status: 'planned', created_at: at })),
  SprintChanged: changed(({ reason: _, goal, ...changes }, row) => ({
    ...(changes as Partial<typeof row>),
    goal: goal === undefined ? row.goal : (goal ?? undefined),
  })),
  SprintStarted: changed((_, __, at) => ({ status: 'active', started_at: at })),
  SprintCompleted: changed((_, __, at) => ({ status: 'completed', completed_at: at })),
  SprintRemoved: removed,
}

/** One row per sprint. */
export const sprints = projection({
  name: 'sprints',
  service: 'center',
  version: 1,
  history: true,
  of: { sprint: events },
  row,
  key: ['org', 'id'],
  computed: speltAs(row.shape, { project_id: 'project' }),
  on,
  reads: [
    {
      one: 'sprint',
      many: 'sprints',
      path: '/sprints',
      permission: 'sprints.read',
      names: ['id'],
      order: ['id'],
      filters: ['project', 'status', 'start_date', 'end_date'],
      groups: ['project', 'status', 'start_date', 'end_date'],
      summary: { list: 'The sprints of the organization.', get: 'A sprint.' },
    },
  ],
})
