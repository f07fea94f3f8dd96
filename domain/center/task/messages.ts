/** The task's storage and wire contract: add, never rename; change a shape with an upcaster. */
import { date, id, object, oneOf, text } from '../../kernel/schema.ts'

const status = text(64)
const assignee = text(128).meta({ description: 'who does it: a user or a resource by name' })
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
  }),
  changeStatus: object({ status }),
  assign: object({ assignee: assignee.nullable() }),
  moveToTeam: object({ team: team.nullable() }),
  complete: object({}),
} as const

export const rejections = ['task_already_created', 'task_completed'] as const
