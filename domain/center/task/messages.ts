/** The task's storage and wire contract: add, never rename; change a shape with an upcaster. */
import {
  boolean,
  currency,
  date,
  id,
  integer,
  list,
  minorUnits,
  object,
  oneOf,
  positiveMinorUnits,
  ref,
  text,
  uuid,
} from '../../kernel/schema.ts'
import { number } from '../../record/measures.ts'
import { reason } from '../../record/reason.ts'
import { STAGES } from '../workflow/built-in.ts'
import { workflow } from '../workflow/statuses.ts'

const status = text(64)
const assignee = text(128).meta({ description: 'who does it: a user or a resource by name, 1 to 128 characters' })
const team = text(128)
const name = text(500)
const description = text(10_000)
const type = text(64)
const priority = oneOf('low', 'medium', 'high', 'critical')
const labels = list(text(64), 50)
const hours = number(0, 1_000_000).meta({ description: 'hours of work' })
const stage = oneOf(...STAGES).meta({ description: 'how far work of this status is' })
const made = {
  name,
  description: description.optional(),
  type: type.optional(),
  priority: priority.optional(),
  assignee: assignee.optional(),
  team: team.optional(),
  labels: labels.optional(),
}
const changed = {
  name: name.optional(),
  description: description.nullable().optional(),
  type: type.nullable().optional(),
  priority: priority.nullable().optional(),
  labels: labels.nullable().optional(),
}
const why = { reason: reason.optional() }

const comment = uuid.meta({ description: 'id of a comment, made with it' })
const said = text(10_000).meta({ description: 'what is said; `@name` notifies a user' })
const item = text(64).meta({ description: 'id of an item of the checklist' })
const entry = uuid.meta({ description: 'id of a time entry, made with it' })
const minutes = integer(1, 44_640).meta({ description: 'minutes of work, at most those of a month' })
const note = text(1000)
const rate = {
  rate: positiveMinorUnits.meta({ description: 'what an hour costs, in minor units of the currency' }),
  currency,
}
const worked = {
  minutes,
  workedOn: date,
  note: note.optional(),
  rate: rate.rate.optional(),
  currency: currency.optional(),
}
const posting = {
  entry,
  wallet: id('wallet'),
  account: text(255),
  counterparty: text(255),
  kind: oneOf('credit', 'debit'),
}
const cost = { amount: minorUnits, currency, description: text(1000) }
/** Items of a checklist, and comments and time entries of a task: they stand in its state. */
const CHECKLIST_MAX = 200
export const PARTS_MAX = 5_000
const checklist = list(object({ item, text: text(500), done: boolean }), CHECKLIST_MAX)

export const events = {
  TaskCreated: object({
    ...made,
    project: id('project').optional(),
    parent: id('task').optional(),
    dueOn: date.optional(),
    estimatedHours: hours.optional(),
    status,
    stage: stage.optional(),
    workflow: workflow.optional(),
  }),
  TaskChanged: object({
    ...changed,
    project: id('project').nullable().optional(),
    parent: id('task').nullable().optional(),
    dueOn: date.nullable().optional(),
    estimatedHours: hours.nullable().optional(),
    /** That of the other project, where the project changed. */
    workflow: workflow.nullable().optional(),
    ...why,
  }),
  TaskStatusChanged: object({ from: status, to: status, stage: stage.optional(), ...why }),
  TaskAssigned: object({ from: assignee.nullable(), to: assignee.nullable(), ...why }),
  TaskMovedToTeam: object({ from: team.nullable(), to: team.nullable(), ...why }),
  TaskMovedToSprint: object({ from: id('sprint').nullable(), to: id('sprint').nullable(), ...why }),
  TaskCompleted: object({ from: status, ...why }),
  TaskRemoved: object({ ...why }),
  /** The day that it is due on has begun. `assignee`: who has still to do it, and learns of that in time. */
  TaskDue: object({ dueOn: date, assignee: assignee.nullable() }),
  TaskChecklistSet: object({ items: checklist }),
  TaskCommented: object({ comment, author: text(128), text: said }),
  TaskCommentChanged: object({ comment, text: said }),
  TaskCommentRemoved: object({ comment }),
  TimeLogged: object({ entry, user: text(128), ...worked }),
  /** All of the entry as it is now; `minutesBefore`: what it was. */
  TimeCorrected: object({ entry, ...worked, minutesBefore: minutes }),
  TimeRemoved: object({ entry, minutes }),
  /** What the time costs is to be posted to a wallet. */
  TimePostingRequested: object({
    ...posting,
    ...cost,
    /** That of the task: the entry counts towards its budgets. */
    project: id('project').optional(),
  }),
  TimePosted: object({ entry }),
  TimePostingRefused: object({ entry, code: text(64), reason: text(1000) }),
} as const

const asked = {
  ...made,
  project: ref('project').optional(),
  parent: ref('task').optional(),
  due_on: date.optional(),
  estimated_hours: hours.optional(),
}
const logged = { minutes, worked_on: date, note: note.optional(), rate: rate.rate.optional() }

export const commands = {
  create: object({ id: id('task').optional(), ...asked, status: status.default('open') }).meta({
    examples: [
      {
        id: 'task-1',
        name: 'Design the menu',
        project: 'project-1',
        assignee: 'mira',
        due_on: '2026-12-01',
        labels: ['print'],
        estimated_hours: 7.5,
      },
    ],
  }),
  change: object({
    ...changed,
    project: ref('project').nullable().optional(),
    parent: id('task')
      .nullable()
      .optional()
      .meta({ description: 'null: a task of its own; the task that it is part of is chosen when it is created' }),
    due_on: date.nullable().optional(),
    estimated_hours: hours.nullable().optional(),
    status: status.optional(),
    assignee: assignee.nullable().optional(),
    team: team.nullable().optional(),
    ...why,
  }).meta({ examples: [{ name: 'Design the menu and the cards', due_on: '2026-12-15', reason: 'ordered on top' }] }),
  changeStatus: object({ status, ...why }).meta({ examples: [{ status: 'in progress', reason: 'the paper is here' }] }),
  assign: object({ assignee: assignee.nullable(), ...why }).meta({ examples: [{ assignee: 'jon' }] }),
  moveToTeam: object({ team: team.nullable(), ...why }).meta({ examples: [{ team: 'design' }] }),
  moveToSprint: object({ sprint: ref('sprint').nullable(), ...why }).meta({ examples: [{ sprint: 'sprint-1' }] }),
  complete: object({ ...why }).meta({ examples: [{ reason: 'printed and sent' }] }),
  remove: object({ ...why }).meta({ examples: [{ reason: 'ordered twice' }] }),
  noteDue: object({ due_on: date }),
  setChecklist: object({
    items: list(object({ item: item.optional(), text: text(500), done: boolean.default(false) }), CHECKLIST_MAX),
  }).meta({ examples: [{ items: [{ item: 'proof', text: 'Read the proof' }] }] }),
  tick: object({ item, done: boolean }).meta({ examples: [{ item: 'proof', done: true }] }),
  comment: object({ text: said }).meta({ examples: [{ text: 'The paper is here, @jon.' }] }),
  changeComment: object({ comment, text: said }).meta({
    examples: [{ comment: '00000000-0000-5000-8000-000000000000', text: 'The paper is here.' }],
  }),
  removeComment: object({ comment }),
  logTime: object({ user: text(128).optional(), ...logged, currency: currency.optional() }).meta({
    examples: [{ minutes: 90, worked_on: '2026-11-20', note: 'first sketches', rate: '6000', currency: 'EUR' }],
  }),
  correctTime: object({ entry, ...logged, currency: currency.optional() }).meta({
    examples: [{ entry: '00000000-0000-5000-8000-000000000000', minutes: 60, worked_on: '2026-11-20' }],
  }),
  removeTime: object({ entry }),
  postTime: object({
    entry,
    wallet: ref('wallet'),
    account: posting.account,
    counterparty: posting.counterparty.optional(),
    kind: posting.kind.default('credit'),
  }).meta({ examples: [{ entry: '00000000-0000-5000-8000-000000000000', wallet: 'studio', account: 'checking' }] }),
  recordPosting: object({ entry }),
  refusePosting: object({ entry, code: text(64), reason: text(1000) }),
  /** Asks again, without the project of the task: it was removed. */
  askPostingAgain: object({ ...posting, ...cost }),
} as const

export const rejections = [
  'task_already_created',
  'task_completed',
  'task_removed',
  'task_status_not_allowed',
  'task_parent_fixed',
  'task_checklist_item_unknown',
  'task_comment_unknown',
  'task_comment_of_another',
  'task_full',
  'task_sprint_completed',
  'time_entry_unknown',
  'time_entry_posted',
  'time_entry_without_rate',
  'task_time_being_posted',
] as const
