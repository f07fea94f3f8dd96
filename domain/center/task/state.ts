/** What decisions about a task need to know of it. */
import { invariant, rejected } from '../../kernel/errors.ts'
import { type Keyed, noneKeyed } from '../../record/keyed.ts'
import { stageOf, type Workflow } from '../workflow/statuses.ts'

/** The status a task has once it is complete; any other status reopens it. */
export const COMPLETED = 'completed'

/** The fields that `change` merges; `null` where a task has none. */
export type Details = {
  readonly name: string
  readonly description: string | null
  readonly type: string | null
  readonly priority: string | null
  readonly project: string | null
  readonly parent: string | null
  readonly labels: readonly string[] | null
  readonly dueOn: string | null
  readonly estimatedHours: number | null
}

/** Time that was worked. `posting`: whether a wallet was asked to take what it costs, or has taken it. */
export type TimeEntry = {
  readonly minutes: number
  readonly user: string
  readonly workedOn: string
  readonly note: string | null
  readonly rate: bigint | null
  readonly currency: string | null
  readonly posting: 'none' | 'asked' | 'posted'
}

export type Present = {
  readonly status: 'open' | 'completed'
  readonly stage: string
  readonly assignee: string | null
  readonly team: string | null
  readonly sprint: string | null
  readonly workflow: Workflow | null
  readonly details: Details
  readonly checklist: readonly { readonly item: string; readonly text: string; readonly done: boolean }[]
  /** Who wrote each comment. */
  readonly comments: Keyed<string>
  readonly times: Keyed<TimeEntry>
  /** Comments and time entries together. */
  readonly parts: number
}

/** `times` of a removed task: those that are still being posted to a wallet are among them. */
type Removed = { readonly status: 'removed'; readonly times?: Keyed<TimeEntry> }
export type Task = { readonly status: 'none' } | Removed | Present

/** What a new task begins with beside what is said of it. */
export const NEW = {
  status: 'open',
  sprint: null,
  checklist: [],
  comments: noneKeyed,
  times: noneKeyed,
  parts: 0,
} as const

/** The task in a status, which is complete by its name alone. */
export const staged = (task: Present, stage: string): Present => ({
  ...task,
  stage,
  status: stage === COMPLETED ? 'completed' : 'open',
})

/** How far work of a status is, where a workflow says so: words of the workflow `free` are looked at by read models. */
export const stageIn = (workflow: Workflow | null, status: string) =>
  workflow === null ? {} : { stage: stageOf(workflow, status) }

export function mustBeOpen(task: Present): void {
  if (task.status === 'completed') throw rejected('task_completed', 'The task is completed; change its status first.')
}

export function mustBePresent(task: Task): Present {
  if (task.status === 'removed') throw rejected('task_removed', 'The task is removed; create it again first.')
  return presentOf(task)
}

export function presentOf(task: Task): Present {
  invariant(
    task.status === 'open' || task.status === 'completed',
    `an event or command of a task that is ${task.status}`,
  )
  return task
}
