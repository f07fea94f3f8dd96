import type { z } from 'zod'
import { events } from '../../domain/center/task/messages.ts'
import { STAGES } from '../../domain/center/workflow/built-in.ts'
import { stageOf, workflow } from '../../domain/center/workflow/statuses.ts'
import {
  boolean,
  date,
  id,
  integer,
  list,
  object,
  oneOf,
  text,
  timestamp,
  unsigned64,
} from '../../domain/kernel/schema.ts'
import { number } from '../../domain/record/measures.ts'
import { type Handlers, projection } from '../rows/projection.ts'
import { speltAs } from '../rows/spellings.ts'
import { changed, made, removed } from '../rows/thing.ts'

/** Columns that flows are asked by; a fourth would not fit into a row of an index. */
const FLOW_COLUMNS = ['project', 'assignee', 'sprint'] as const

const row = object({
  org: id('org'),
  id: id('task'),
  name: text(500),
  description: text(10_000).optional(),
  type: text(64).optional(),
  priority: oneOf('low', 'medium', 'high', 'critical').optional(),
  project: id('project').optional(),
  parent: id('task').optional(),
  sprint: id('sprint').optional(),
  labels: list(text(64), 50).optional(),
  status: text(64),
  stage: oneOf(...STAGES).meta({ description: 'how far the work is: by the workflow, or by the word of the status' }),
  workflow: workflow.optional(),
  assignee: text(128).optional(),
  team: text(128).optional(),
  due_on: date.optional(),
  estimated_hours: number(0, 1_000_000).optional(),
  actual_hours: number(0, 1e9).optional().meta({ description: 'the time that was logged' }),
  minutes: integer(0, 2 ** 31 - 1).meta({ description: 'the same in minutes' }),
  checklist: list(object({ item: text(64), text: text(500), done: boolean }), 200).optional(),
  comments: integer(0, 1_000_000),
  status_changes: unsigned64,
  reassignments: unsigned64,
  team_changes: unsigned64,
  revision: unsigned64,
  created_revision: unsigned64.meta({ description: 'its revision when it was created, last' }),
  created_at: timestamp,
  updated_at: timestamp,
  started_at: timestamp.optional().meta({ description: 'when work on it began first' }),
  completed_at: timestamp.optional().meta({ description: 'when it was done last, while it is' }),
})
type Row = z.output<typeof row>

/**
 * The columns of a status in the workflow of the row. Its stage is that of the workflow as it is now, so that stored
 * events mean what workflows mean. Work has begun with the first status that is `doing` or `done`.
 */
function inStatus(status: string, row: Partial<Row>, at: string) {
  const stage = stageOf(row.workflow, status)
  return {
    status,
    stage,
    started_at: row.started_at ?? (stage === 'doing' || stage === 'done' ? at : undefined),
    completed_at: stage === 'done' ? (row.completed_at ?? at) : undefined,
  }
}

const worked = (minutes: number) => ({
  minutes,
  actual_hours: minutes === 0 ? undefined : Math.round((minutes / 60) * 100) / 100,
})

const on: Handlers<Row, typeof events> = {
  TaskCreated: made(({ dueOn, estimatedHours, status, stage: _, ...data }, at, revision) => ({
    ...data,
    ...inStatus(status, { workflow: data.workflow }, at),
    due_on: dueOn,
    estimated_hours: estimatedHours,
    minutes: 0,
    comments: 0,
    status_changes: 0n,
    reassignments: 0n,
    team_changes: 0n,
    created_revision: revision,
    created_at: at,
  })),
  TaskChanged: changed(({ dueOn, estimatedHours, reason: _, name, ...changes }, row, at) => ({
    name: name ?? row.name,
    ...Object.fromEntries(Object.entries(changes).map(([field, value]) => [field, value ?? undefined])),
    ...(changes.workflow !== undefined &&
      inStatus(row.status, { ...row, workflow: changes.workflow ?? undefined }, at)),
    due_on: dueOn === undefined ? row.due_on : (dueOn ?? undefined),
    estimated_hours: estimatedHours === undefined ? row.estimated_hours : (estimatedHours ?? undefined),
  })),
  TaskStatusChanged: changed(({ to }, row, at) => ({
    ...inStatus(to, row, at),
    status_changes: row.status_changes + 1n,
  })),
  TaskAssigned: changed(({ to }, row) => ({ assignee: to ?? undefined, reassignments: row.reassignments + 1n })),
  TaskMovedToTeam: changed(({ to }, row) => ({ team: to ?? undefined, team_changes: row.team_changes + 1n })),
  TaskMovedToSprint: changed(({ to }) => ({ sprint: to ?? undefined })),
  TaskCompleted: changed((_, row, at) => ({
    ...inStatus('completed', row, at),
    status_changes: row.status_changes + 1n,
  })),
  TaskRemoved: removed,
  TaskDue: changed(() => ({})),
  TaskChecklistSet: changed(({ items }) => ({ checklist: items.length > 0 ? items : undefined })),
  TaskCommented: changed((_, row) => ({ comments: row.comments + 1 })),
  TaskCommentChanged: changed(() => ({})),
  TaskCommentRemoved: changed((_, row) => ({ comments: row.comments - 1 })),
  TimeLogged: changed(({ minutes }, row) => worked(row.minutes + minutes)),
  TimeCorrected: changed(({ minutes, minutesBefore }, row) => worked(row.minutes + minutes - minutesBefore)),
  TimeRemoved: changed(({ minutes }, row) => worked(row.minutes - minutes)),
  TimePostingRequested: changed(() => ({})),
  TimePosted: changed(() => ({})),
  TimePostingRefused: changed(() => ({})),
}

/** One row per task. */
export const tasks = projection({
  name: 'tasks',
  service: 'center',
  version: 4,
  history: true,
  of: { task: events },
  row,
  key: ['org', 'id'],
  computed: speltAs(row.shape, {
    project_id: 'project',
    sprint_id: 'sprint',
    task_type: 'type',
    assigned_to: 'assignee',
    due_date: 'due_on',
  }),
  // How many tasks of each status everybody has is counted without reading their rows.
  indexes: [['org', 'status', 'assignee']],
  // Flows and burn-downs are read from versions: of what was ever in a project or sprint, or of all, in their order.
  versionLookups: ['project', 'sprint', 'team', 'assignee'],
  versionColumns: ['_removed', 'updated_at', 'stage', 'estimated_hours', ...FLOW_COLUMNS],
  on,
  reads: [
    {
      one: 'task',
      many: 'tasks',
      path: '/tasks',
      permission: 'tasks.read',
      names: ['id'],
      order: ['id'],
      filters: [
        'status',
        'stage',
        'assignee',
        'team',
        'project',
        'sprint',
        'parent',
        'priority',
        'type',
        'due_on',
        'created_at',
        'completed_at',
      ],
      walked: ['labels', 'estimated_hours'],
      groups: [
        'assignee',
        'priority',
        'project',
        'sprint',
        'status',
        'stage',
        'team',
        'type',
        'due_on',
        'created_at',
        'completed_at',
      ],
      sums: ['status_changes', 'reassignments', 'team_changes', 'estimated_hours', 'minutes'],
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
