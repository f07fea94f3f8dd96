/** Comments on tasks, and the time that was worked on them. */
import type { z } from 'zod'
import { events } from '../../domain/center/task/messages.ts'
import {
  currency,
  date,
  id,
  integer,
  object,
  oneOf,
  positiveMinorUnits,
  text,
  timestamp,
  unsigned64,
} from '../../domain/kernel/schema.ts'
import { existing, type Handlers, type Key, projection } from '../rows/projection.ts'
import { tasks } from './tasks.ts'

const commentRow = object({
  org: id('org'),
  task: id('task'),
  comment: id('comment'),
  author: text(128),
  text: text(10_000),
  revision: unsigned64,
  created_at: timestamp,
  updated_at: timestamp,
})
const timeRow = object({
  org: id('org'),
  task: id('task'),
  entry: id('time entry'),
  user: text(128),
  minutes: integer(1, 44_640),
  worked_on: date,
  note: text(1000).optional(),
  rate: positiveMinorUnits.optional(),
  currency: currency.optional(),
  status: oneOf('open', 'requested', 'posted', 'refused').meta({ description: 'how far it is posted to a wallet' }),
  wallet: id('wallet').optional(),
  account: text(255).optional(),
  amount: positiveMinorUnits.optional(),
  code: text(64).optional().meta({ description: 'why the wallet refused it' }),
  revision: unsigned64,
  created_at: timestamp,
  updated_at: timestamp,
})

/** Events of the task that change neither comments nor time. */
const NEITHER = {
  TaskCreated: null,
  TaskChanged: null,
  TaskStatusChanged: null,
  TaskAssigned: null,
  TaskMovedToTeam: null,
  TaskMovedToSprint: null,
  TaskCompleted: null,
  TaskRemoved: null,
  TaskDue: null,
  TaskChecklistSet: null,
} as const

type Named = { readonly metadata: { readonly org: string; readonly id: string } }
const keyOfComment = ({ data, metadata: { org, id } }: Named & { data: { comment: string } }): readonly Key[] => [
  { org, task: id, comment: data.comment },
]
const keyOfTime = ({ data, metadata: { org, id } }: Named & { data: { entry: string } }): readonly Key[] => [
  { org, task: id, entry: data.entry },
]

const onComments: Handlers<z.output<typeof commentRow>, typeof events> = {
  ...NEITHER,
  TaskCommented: {
    keys: keyOfComment,
    fold: (_, { data, revision, metadata: { org, id, at } }) => ({
      org,
      task: id,
      ...data,
      revision,
      created_at: at,
      updated_at: at,
    }),
  },
  TaskCommentChanged: {
    keys: keyOfComment,
    fold: (row, event) => ({
      ...existing(row, event),
      text: event.data.text,
      revision: event.revision,
      updated_at: event.metadata.at,
    }),
  },
  TaskCommentRemoved: { keys: keyOfComment, fold: () => null },
  TimeLogged: null,
  TimeCorrected: null,
  TimeRemoved: null,
  TimePostingRequested: null,
  TimePosted: null,
  TimePostingRefused: null,
}

/** One row per comment on a task. */
export const taskComments = projection({
  name: 'task_comments',
  service: 'center',
  version: 1,
  history: true,
  of: { task: events },
  row: commentRow,
  key: ['org', 'task', 'comment'],
  on: onComments,
  reads: [
    {
      one: 'task comment',
      many: 'task comments',
      path: '/tasks/:id/comments',
      permission: 'comments.read',
      parents: { id: 'task' },
      within: tasks,
      since: 'created_revision',
      names: ['comment'],
      order: ['comment'],
      filters: ['created_at', 'author'],
      groups: ['author', 'created_at'],
      summary: { list: 'The comments on a task.', get: 'A comment on a task.' },
    },
  ],
})

type TimeRow = z.output<typeof timeRow>

const onTimes: Handlers<TimeRow, typeof events> = {
  ...NEITHER,
  TaskCommented: null,
  TaskCommentChanged: null,
  TaskCommentRemoved: null,
  TimeLogged: {
    keys: keyOfTime,
    fold: (_, { data: { workedOn, ...data }, revision, metadata: { org, id, at } }) => ({
      org,
      task: id,
      ...data,
      worked_on: workedOn,
      status: 'open',
      revision,
      created_at: at,
      updated_at: at,
    }),
  },
  TimeCorrected: {
    keys: keyOfTime,
    fold: (row, event) => {
      const { workedOn, minutesBefore: _, note, rate, currency, ...data } = event.data
      return { ...changedBy(row, event), ...data, worked_on: workedOn, note, rate, currency }
    },
  },
  TimeRemoved: { keys: keyOfTime, fold: () => null },
  TimePostingRequested: {
    keys: keyOfTime,
    fold: (row, event) => {
      const { wallet, account, amount } = event.data
      return { ...changedBy(row, event), status: 'requested', wallet, account, amount, code: undefined }
    },
  },
  TimePosted: { keys: keyOfTime, fold: (row, event) => ({ ...changedBy(row, event), status: 'posted' }) },
  TimePostingRefused: {
    keys: keyOfTime,
    fold: (row, event) => ({ ...changedBy(row, event), status: 'refused', code: event.data.code }),
  },
}

const changedBy = (row: TimeRow | undefined, event: Parameters<typeof existing>[1]): TimeRow => ({
  ...existing(row, event),
  revision: event.revision,
  updated_at: event.metadata.at,
})

/** One row per entry of time that was worked on a task. */
export const timeEntries = projection({
  name: 'time_entries',
  service: 'center',
  version: 1,
  history: true,
  of: { task: events },
  row: timeRow,
  key: ['org', 'task', 'entry'],
  on: onTimes,
  reads: [
    {
      one: 'time entry',
      many: 'time entries',
      path: '/time-entries',
      permission: 'time.read',
      names: [],
      order: ['task', 'entry'],
      filters: ['user', 'worked_on', 'task', 'status'],
      groups: ['user', 'worked_on', 'task', 'status', 'currency'],
      sums: ['minutes', 'amount'],
      summary: { list: 'The time that was worked, over all tasks, those that were removed since too.' },
    },
    {
      one: 'task time entry',
      many: 'task time entries',
      path: '/tasks/:id/time-entries',
      permission: 'time.read',
      parents: { id: 'task' },
      within: tasks,
      since: 'created_revision',
      names: ['entry'],
      order: ['entry'],
      filters: ['worked_on', 'user'],
      groups: ['user', 'worked_on', 'status', 'currency'],
      sums: ['minutes', 'amount'],
      summary: { list: 'The time that was worked on a task.', get: 'An entry of time worked on a task.' },
    },
  ],
})
