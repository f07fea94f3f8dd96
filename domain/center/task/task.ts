import { aggregate, type Decide, type EventOf, type Evolve } from '../../kernel/aggregate.ts'
import { rejected } from '../../kernel/errors.ts'
import { changedFields, isSame } from '../../record/merge.ts'
import { because } from '../../record/reason.ts'
import type { RecordState } from '../../record/record.ts'
import { FREE, LEFT } from '../workflow/built-in.ts'
import { firstStatus, mustFollow, stageOf, statusesOf, type Workflow } from '../workflow/statuses.ts'
import { activity } from './activity.ts'
import { api } from './api.ts'
import { commands, events, rejections } from './messages.ts'
import { decideParts, evolveParts, mustHaveNoOpenPosting } from './parts.ts'
import {
  COMPLETED,
  type Details,
  mustBeOpen,
  mustBePresent,
  NEW,
  type Present,
  presentOf,
  staged,
  stageIn,
  type Task,
} from './state.ts'

type Facts = readonly EventOf<typeof events>[]

const evolve: Evolve<Task, typeof events> = {
  TaskCreated(_, { status, assignee = null, team = null, workflow = null, name, ...more }) {
    const { description = null, type = null, priority = null, project = null, dueOn = null } = more
    const { parent = null, labels = null, estimatedHours = null } = more
    const details = { name, description, type, priority, project, parent, labels, dueOn, estimatedHours }
    return staged({ ...NEW, stage: status, assignee, team, workflow, details }, status)
  },
  TaskChanged(task, { reason: _, workflow, ...changes }) {
    const present = presentOf(task)
    const details = { ...present.details, ...changes } as Details
    return { ...present, workflow: workflow === undefined ? present.workflow : workflow, details }
  },
  TaskStatusChanged: (task, { to }) => staged(presentOf(task), to),
  TaskAssigned: (task, { to }) => ({ ...presentOf(task), assignee: to }),
  TaskMovedToTeam: (task, { to }) => ({ ...presentOf(task), team: to }),
  TaskMovedToSprint: (task, { to }) => ({ ...presentOf(task), sprint: to }),
  TaskCompleted: task => staged(presentOf(task), COMPLETED),
  TaskRemoved: task => ({ status: 'removed', ...('times' in task && task.times && { times: task.times }) }),
  TaskDue: task => task,
  ...evolveParts,
}

const decide: Decide<Task, typeof commands, typeof events> = {
  create(task, { id: _, due_on: dueOn, estimated_hours: estimatedHours, status, ...details }, { seen }) {
    if (task.status === 'open' || task.status === 'completed') {
      throw rejected('task_already_created', 'The task exists; choose another id.')
    }
    if (task.status === 'removed' && details.parent !== undefined) throw parentFixed()
    mustHaveNoOpenPosting(task)
    const workflow = workflowIn(seen)
    const first = firstStatus('task', workflow ?? undefined, status, 'open')
    const more = {
      ...(dueOn !== undefined && { dueOn }),
      ...(estimatedHours !== undefined && { estimatedHours }),
      ...(workflow !== null && { workflow }),
      ...stageIn(workflow, first),
    }
    return [{ type: 'TaskCreated', data: { ...details, ...more, status: first } }]
  },
  change(task, { status, assignee, team, reason, ...others }, { seen }) {
    const before = mustBePresent(task)
    const { due_on: dueOn, estimated_hours: estimatedHours, ...named } = others
    const changes = changedFields(before.details, { ...named, dueOn, estimatedHours })
    if (typeof changes.parent === 'string') throw parentFixed()
    const moved =
      others.project === undefined ? before : movedTo(before, workflowIn(seen), status, 'project' in changes)
    const workflow = isSame(moved.workflow, before.workflow) ? {} : { workflow: moved.workflow }
    const details: Facts =
      Object.keys({ ...changes, ...workflow }).length === 0
        ? []
        : [{ type: 'TaskChanged', data: { ...changes, ...workflow, ...because(reason) } }]
    const statuses = status === undefined ? [] : statusFacts(moved, status, reason)
    // Who has the task is settled while it is completed; the same request may reopen it, which comes first then.
    const open = status === undefined ? before : staged(before, before.status === 'completed' ? status : before.stage)
    const handed = [...assignFacts(open, assignee, reason), ...teamFacts(open, team, reason)]
    return before.status === 'completed' ? [...statuses, ...details, ...handed] : [...details, ...handed, ...statuses]
  },
  changeStatus: (task, { status, reason }) => statusFacts(mustBePresent(task), status, reason),
  assign: (task, { assignee, reason }) => assignFacts(mustBePresent(task), assignee, reason),
  moveToTeam: (task, { team, reason }) => teamFacts(mustBePresent(task), team, reason),
  moveToSprint(task, { sprint: to, reason }, { seen }) {
    const { sprint: from } = mustBePresent(task)
    if (to === from) return []
    if (isCompleted(seen)) {
      throw rejected('task_sprint_completed', 'The sprint is completed; its scope stays as it was.', { sprint: to! })
    }
    return [{ type: 'TaskMovedToSprint', data: { from, to, ...because(reason) } }]
  },
  complete(task, { reason }) {
    const { status, stage, workflow } = mustBePresent(task)
    if (status === 'completed') return []
    if (workflow !== null) mustFollow('task', workflow, stage, COMPLETED)
    return [{ type: 'TaskCompleted', data: { from: stage, ...because(reason) } }]
  },
  remove(task, { reason }) {
    if (task.status === 'removed') return []
    mustBePresent(task)
    return [{ type: 'TaskRemoved', data: because(reason) }]
  },
  noteDue(task, { due_on: dueOn }, { at }) {
    if (task.status === 'removed') return []
    const { stage, workflow, assignee, details } = presentOf(task)
    if (details.dueOn !== dueOn) return []
    const isInTime = LEFT.includes(stageOf(workflow ?? undefined, stage)) && at.slice(0, 10) === dueOn
    return [{ type: 'TaskDue', data: { dueOn, assignee: isInTime ? assignee : null } }]
  },
  ...decideParts,
}

const projectOf = ({ project }: { readonly project?: string | null | undefined }) =>
  project ? { category: 'project', id: project } : undefined

/**
 * A piece of work: created, corrected, moved through its statuses, assigned, handed to a team, completed, removed. It
 * copies the workflow of its project when it comes to it; one without a project takes any words as statuses.
 */
export const task = aggregate({
  name: 'task',
  events,
  commands,
  api,
  rejections,
  initial: { status: 'none' } as Task,
  evolve,
  decide,
  sees: {
    create: projectOf,
    change: projectOf,
    moveToSprint: ({ sprint }) => (sprint === null ? undefined : { category: 'sprint', id: sprint }),
  },
  stateSchema: 4,
  activity,
  removedBy: ['TaskRemoved'],
  spellings: {
    dueOn: 'due_on',
    due_date: 'due_on',
    project_id: 'project',
    parent_id: 'parent',
    assigned_to: 'assignee',
    task_type: 'type',
    sprint_id: 'sprint',
    team_id: 'team',
  },
})

/** The workflow of the tasks of a project; `null` for the workflow `free` and where there is no project. */
function workflowIn(project: unknown): Workflow | null {
  const state = project as RecordState | undefined
  const workflow = state?.status === 'present' ? (state.fields.task_workflow as Workflow | null | undefined) : null
  return workflow === FREE ? null : (workflow ?? null)
}

const isCompleted = (sprint: unknown) => (sprint as { readonly status?: string } | undefined)?.status === 'completed'

/**
 * The task in the workflow of the project that was named, which must know its status or that of the same request. Where
 * it stays in its project, whose workflow has changed since, it stays in its own workflow otherwise.
 */
function movedTo(before: Present, workflow: Workflow | null, status: string | undefined, isOther: boolean): Present {
  const statuses = statusesOf(workflow ?? undefined)
  const now = status ?? before.stage
  if (statuses && !statuses.some(({ name }) => name === now)) {
    if (!isOther) return before
    const allowed = statuses.map(({ name }) => name).join(', ')
    const message = `The workflow of the project has the statuses ${allowed}: name one.`
    throw rejected('task_status_not_allowed', message, { status: now, allowed })
  }
  return { ...before, workflow }
}

const parentFixed = () =>
  rejected('task_parent_fixed', 'A task is made a part of another one when it is first created; null takes it out.')

function statusFacts({ stage: from, workflow }: Present, to: string, reason: string | undefined): Facts {
  if (to === from) return []
  if (workflow !== null) mustFollow('task', workflow, from, to)
  return [{ type: 'TaskStatusChanged', data: { from, to, ...stageIn(workflow, to), ...because(reason) } }]
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
