import { aggregate, type Decide, type EventOf, type Evolve } from '../../kernel/aggregate.ts'
import { invariant, rejected } from '../../kernel/errors.ts'
import { changedFields } from '../../record/merge.ts'
import { because } from '../../record/reason.ts'
import { activity } from './activity.ts'
import { commands, events, rejections } from './messages.ts'

/** The status a task has once it is complete; any other status reopens it. */
export const COMPLETED = 'completed'

/** What says nothing of how far the work is; `null` where there is none. */
type Details = {
  readonly name: string
  readonly description: string | null
  readonly type: string | null
  readonly priority: string | null
  readonly project: string | null
  readonly dueOn: string | null
}
type Present = {
  readonly status: 'open' | 'completed'
  readonly stage: string
  readonly assignee: string | null
  readonly team: string | null
  readonly details: Details
}

export type Task = { readonly status: 'none' } | { readonly status: 'removed' } | Present
type Facts = readonly EventOf<typeof events>[]

const evolve: Evolve<Task, typeof events> = {
  TaskCreated(_, { status, assignee = null, team = null, name, ...more }) {
    const { description = null, type = null, priority = null, project = null, dueOn = null } = more
    const details = { name, description, type, priority, project, dueOn }
    return staged({ status: 'open', stage: status, assignee, team, details }, status)
  },
  TaskChanged(task, { reason: _, ...changes }) {
    const present = presentOf(task)
    return { ...present, details: { ...present.details, ...changes } as Details }
  },
  TaskStatusChanged: (task, { to }) => staged(presentOf(task), to),
  TaskAssigned: (task, { to }) => ({ ...presentOf(task), assignee: to }),
  TaskMovedToTeam: (task, { to }) => ({ ...presentOf(task), team: to }),
  TaskCompleted: task => staged(presentOf(task), COMPLETED),
  TaskRemoved: () => ({ status: 'removed' }),
  TaskDue: task => task,
}

const decide: Decide<Task, typeof commands, typeof events> = {
  create(task, { id: _, due_on: dueOn, ...details }) {
    if (task.status === 'open' || task.status === 'completed') {
      throw rejected('task_already_created', 'The task exists; choose another id.')
    }
    return [{ type: 'TaskCreated', data: { ...details, ...(dueOn !== undefined && { dueOn }) } }]
  },
  change(task, { status, assignee, team, due_on: dueOn, reason, ...others }) {
    const before = mustBePresent(task)
    const changes = changedFields(before.details, { ...others, dueOn })
    const details: Facts =
      Object.keys(changes).length === 0 ? [] : [{ type: 'TaskChanged', data: { ...changes, ...because(reason) } }]
    const moved = status === undefined ? [] : statusFacts(before, status, reason)
    // Who has the task is settled while it is completed; the same request may reopen it, which comes first then.
    const open = status === undefined ? before : staged(before, before.status === 'completed' ? status : before.stage)
    const handed = [...assignFacts(open, assignee, reason), ...teamFacts(open, team, reason)]
    return before.status === 'completed' ? [...moved, ...details, ...handed] : [...details, ...handed, ...moved]
  },
  changeStatus: (task, { status, reason }) => statusFacts(mustBePresent(task), status, reason),
  assign: (task, { assignee, reason }) => assignFacts(mustBePresent(task), assignee, reason),
  moveToTeam: (task, { team, reason }) => teamFacts(mustBePresent(task), team, reason),
  complete(task, { reason }) {
    const { status, stage } = mustBePresent(task)
    return status === 'completed' ? [] : [{ type: 'TaskCompleted', data: { from: stage, ...because(reason) } }]
  },
  remove(task, { reason }) {
    if (task.status === 'removed') return []
    mustBePresent(task)
    return [{ type: 'TaskRemoved', data: because(reason) }]
  },
  noteDue(task, { due_on: dueOn }, { at }) {
    if (task.status === 'removed') return []
    const { status, assignee, details } = presentOf(task)
    if (details.dueOn !== dueOn) return []
    const isInTime = status === 'open' && at.slice(0, 10) === dueOn
    return [{ type: 'TaskDue', data: { dueOn, assignee: isInTime ? assignee : null } }]
  },
}

/** A piece of work: created, corrected, moved through its statuses, assigned, handed to a team, completed, removed. */
export const task = aggregate({
  name: 'task',
  events,
  commands,
  api: {
    create: ['POST /tasks', 'tasks.write', 'Create a task, or create a removed one again.'],
    change: [
      'PATCH /tasks/:id',
      'tasks.write',
      'Change any fields of a task, merged as RFC 7396 says: null removes; what is not named stays.',
    ],
    changeStatus: [
      'PUT /tasks/:id/status',
      'tasks.write',
      'Give a task another status; on a completed task this reopens it.',
    ],
    assign: ['PUT /tasks/:id/assignee', 'tasks.write', 'Assign a task to a person or resource, or to none with null.'],
    moveToTeam: ['PUT /tasks/:id/team', 'tasks.write', 'Hand a task to a team, or to none with null.'],
    complete: ['POST /tasks/:id/complete', 'tasks.write', 'Complete a task.'],
    remove: ['DELETE /tasks/:id', 'tasks.write', 'Remove a task.'],
    noteDue: 'internal',
  },
  rejections,
  initial: { status: 'none' } as Task,
  evolve,
  decide,
  stateSchema: 2,
  activity,
  removedBy: ['TaskRemoved'],
  spellings: { dueOn: 'due_on' },
})

function statusFacts({ stage }: Present, to: string, reason: string | undefined): Facts {
  return to === stage ? [] : [{ type: 'TaskStatusChanged', data: { from: stage, to, ...because(reason) } }]
}

function assignFacts(task: Present, to: string | null | undefined, reason: string | undefined): Facts {
  if (to === undefined || to === task.assignee) return []
  mustBeOpen(task)
  return [{ type: 'TaskAssigned', data: { from: task.assignee, to, ...because(reason) } }]
}

function teamFacts(task: Present, to: string | null | undefined, reason: string | undefined): Facts {
  if (to === undefined || to === task.team) return []
  mustBeOpen(task)
  return [{ type: 'TaskMovedToTeam', data: { from: task.team, to, ...because(reason) } }]
}

const staged = (task: Present, stage: string): Present => ({
  ...task,
  stage,
  status: stage === COMPLETED ? 'completed' : 'open',
})

function mustBeOpen(task: Present) {
  if (task.status === 'completed') throw rejected('task_completed', 'The task is completed; change its status first.')
}

function mustBePresent(task: Task): Present {
  if (task.status === 'removed') throw rejected('task_removed', 'The task is removed; create it again first.')
  return presentOf(task)
}

function presentOf(task: Task): Present {
  invariant(
    task.status === 'open' || task.status === 'completed',
    `an event or command of a task that is ${task.status}`,
  )
  return task
}
