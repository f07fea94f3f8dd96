import { aggregate, type Decide, type Evolve } from '../../kernel/aggregate.ts'
import { invariant, rejected } from '../../kernel/errors.ts'
import { commands, events, rejections } from './messages.ts'

/** The status a task has once it is complete; any other status reopens it. */
export const COMPLETED = 'completed'

type Details = { readonly stage: string; readonly assignee: string | null; readonly team: string | null }

export type Task =
  | { readonly status: 'none' }
  | ({ readonly status: 'open' } & Details)
  | ({ readonly status: 'completed' } & Details)
type CreatedTask = Exclude<Task, { status: 'none' }>

const evolve: Evolve<Task, typeof events> = {
  TaskCreated: (_, { status, assignee = null, team = null }) => staged({ stage: status, assignee, team }, status),
  TaskStatusChanged: (task, { to }) => staged(createdOf(task), to),
  TaskAssigned: (task, { to }) => ({ ...createdOf(task), assignee: to }),
  TaskMovedToTeam: (task, { to }) => ({ ...createdOf(task), team: to }),
  TaskCompleted: task => staged(createdOf(task), COMPLETED),
}

const decide: Decide<Task, typeof commands, typeof events> = {
  create(task, { id: _, due_on: dueOn, ...details }) {
    if (task.status !== 'none') throw rejected('task_already_created', 'The task exists; choose another id.')
    return [{ type: 'TaskCreated', data: { ...details, ...(dueOn !== undefined && { dueOn }) } }]
  },
  changeStatus(task, { status }) {
    const { stage } = createdOf(task)
    return status === stage ? [] : [{ type: 'TaskStatusChanged', data: { from: stage, to: status } }]
  },
  assign(task, { assignee }) {
    const from = createdOf(task).assignee
    if (assignee === from) return []
    mustBeOpen(task)
    return [{ type: 'TaskAssigned', data: { from, to: assignee } }]
  },
  moveToTeam(task, { team }) {
    const from = createdOf(task).team
    if (team === from) return []
    mustBeOpen(task)
    return [{ type: 'TaskMovedToTeam', data: { from, to: team } }]
  },
  complete(task) {
    const { status, stage } = createdOf(task)
    return status === 'completed' ? [] : [{ type: 'TaskCompleted', data: { from: stage } }]
  },
}

/** A piece of work: created, moved through its statuses, assigned, handed to a team, completed. */
export const task = aggregate({
  name: 'task',
  events,
  commands,
  api: {
    create: ['POST /tasks', 'tasks.write', 'Create a task.'],
    changeStatus: [
      'PUT /tasks/:id/status',
      'tasks.write',
      'Give a task another status; on a completed task this reopens it.',
    ],
    assign: ['PUT /tasks/:id/assignee', 'tasks.write', 'Assign a task to a person or resource, or to none with null.'],
    moveToTeam: ['PUT /tasks/:id/team', 'tasks.write', 'Hand a task to a team, or to none with null.'],
    complete: ['POST /tasks/:id/complete', 'tasks.write', 'Complete a task.'],
  },
  rejections,
  initial: { status: 'none' } as Task,
  evolve,
  decide,
  stateSchema: 1,
  spellings: { dueOn: 'due_on' },
})

const staged = (details: Details, stage: string): CreatedTask => ({
  status: stage === COMPLETED ? 'completed' : 'open',
  stage,
  assignee: details.assignee,
  team: details.team,
})

function mustBeOpen(task: Task) {
  if (task.status === 'completed') throw rejected('task_completed', 'The task is completed; change its status first.')
}

function createdOf(task: Task): CreatedTask {
  invariant(task.status !== 'none', 'an event or command of a task that was never created')
  return task
}
