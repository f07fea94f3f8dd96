/** The task's storage and wire contract: add, never rename; change a shape with an upcaster. */
import { date, id, object, oneOf, text } from '../../kernel/schema.ts'

const status = text(64)
const assignee = text(128).meta({ description: 'who does it: a user or a resource by name, 1 to 128 characters' })
const team = text(128)
const details = {
  name: text(500),
  description: text(10_000).optional(),
  type: text(64).optional(),
  priority: oneOf('low', 'medium', 'high', 'critical').optional(),
  project: id('project').optional(),
  assignee: assignee.optional(),
  team: team.optional(),
}

export const events = {
  TaskCreated: object({ ...details, dueOn: date.optional(), status }),
  TaskStatusChanged: object({ from: status, to: status }),
  TaskAssigned: object({ from: assignee.nullable(), to: assignee.nullable() }),
  TaskMovedToTeam: object({ from: team.nullable(), to: team.nullable() }),
  TaskCompleted: object({ from: status }),
} as const

export const commands = {
  create: object({
    id: id('task').optional(),
    ...details,
    due_on: date.optional(),
    status: status.default('open'),
  }).meta({
    examples: [{ id: 'task-1', name: 'Design the menu', project: 'project-1', assignee: 'mira', due_on: '2026-12-01' }],
  }),
  changeStatus: object({ status }).meta({ examples: [{ status: 'in progress' }] }),
  assign: object({ assignee: assignee.nullable() }).meta({ examples: [{ assignee: 'jon' }] }),
  moveToTeam: object({ team: team.nullable() }).meta({ examples: [{ team: 'design' }] }),
  complete: object({}),
} as const

export const rejections = ['task_already_created', 'task_completed'] as const
