/** The task's storage and wire contract: add, never rename; change a shape with an upcaster. */
import { date, id, object, oneOf, ref, text } from '../../kernel/schema.ts'
import { reason } from '../../record/reason.ts'

const status = text(64)
const assignee = text(128).meta({ description: 'who does it: a user or a resource by name, 1 to 128 characters' })
const team = text(128)
const name = text(500)
const description = text(10_000)
const type = text(64)
const priority = oneOf('low', 'medium', 'high', 'critical')
const made = {
  name,
  description: description.optional(),
  type: type.optional(),
  priority: priority.optional(),
  assignee: assignee.optional(),
  team: team.optional(),
}
const changed = {
  name: name.optional(),
  description: description.nullable().optional(),
  type: type.nullable().optional(),
  priority: priority.nullable().optional(),
}
const why = { reason: reason.optional() }

export const events = {
  TaskCreated: object({ ...made, project: id('project').optional(), dueOn: date.optional(), status }),
  TaskChanged: object({
    ...changed,
    project: id('project').nullable().optional(),
    dueOn: date.nullable().optional(),
    ...why,
  }),
  TaskStatusChanged: object({ from: status, to: status, ...why }),
  TaskAssigned: object({ from: assignee.nullable(), to: assignee.nullable(), ...why }),
  TaskMovedToTeam: object({ from: team.nullable(), to: team.nullable(), ...why }),
  TaskCompleted: object({ from: status, ...why }),
  TaskRemoved: object({ ...why }),
  /** The day that it is due on has begun. `assignee`: who has still to do it, and learns of that in time. */
  TaskDue: object({ dueOn: date, assignee: assignee.nullable() }),
} as const

export const commands = {
  create: object({
    id: id('task').optional(),
    ...made,
    project: ref('project').optional(),
    due_on: date.optional(),
    status: status.default('open'),
  }).meta({
    examples: [{ id: 'task-1', name: 'Design the menu', project: 'project-1', assignee: 'mira', due_on: '2026-12-01' }],
  }),
  change: object({
    ...changed,
    project: ref('project').nullable().optional(),
    due_on: date.nullable().optional(),
    status: status.optional(),
    assignee: assignee.nullable().optional(),
    team: team.nullable().optional(),
    ...why,
  }).meta({ examples: [{ name: 'Design the menu and the cards', due_on: '2026-12-15', reason: 'ordered on top' }] }),
  changeStatus: object({ status, ...why }).meta({ examples: [{ status: 'in progress', reason: 'the paper is here' }] }),
  assign: object({ assignee: assignee.nullable(), ...why }).meta({ examples: [{ assignee: 'jon' }] }),
  moveToTeam: object({ team: team.nullable(), ...why }).meta({ examples: [{ team: 'design' }] }),
  complete: object({ ...why }).meta({ examples: [{ reason: 'printed and sent' }] }),
  remove: object({ ...why }).meta({ examples: [{ reason: 'ordered twice' }] }),
  noteDue: object({ due_on: date }),
} as const

export const rejections = ['task_already_created', 'task_completed', 'task_removed'] as const
