import { events } from '../../domain/center/task/messages.ts'
import type { DomainEvent } from '../../domain/kernel/event.ts'
import type { Handlers } from '../rows/projection.ts'
import { clears, sets, type TimerRow, timerModel } from '../timers/timer-model.ts'

type Dated = { readonly dueOn?: string | null | undefined }

/** The day begins at midnight UTC, as days of entries do. A day that has begun already sets no timer. */
const due = ({ dueOn }: Dated, { metadata: { at } }: DomainEvent) => {
  const begins = `${dueOn}T00:00:00.000Z`
  return dueOn && begins > at ? { at: begins, command: 'noteDue', body: { due_on: dueOn } } : undefined
}
const changes = sets<Dated>(due)

const on: Handlers<TimerRow, typeof events> = {
  TaskCreated: sets(due),
  TaskChanged: {
    keys: changes.keys,
    fold: (row, event, key) => (event.data.dueOn === undefined ? (row ?? null) : changes.fold(row, event, key)),
  },
  TaskStatusChanged: null,
  TaskAssigned: null,
  TaskMovedToTeam: null,
  TaskMovedToSprint: null,
  TaskCompleted: null,
  TaskRemoved: clears(),
  TaskDue: clears(),
  TaskChecklistSet: null,
  TaskCommented: null,
  TaskCommentChanged: null,
  TaskCommentRemoved: null,
  TimeLogged: null,
  TimeCorrected: null,
  TimeRemoved: null,
  TimePostingRequested: null,
  TimePosted: null,
  TimePostingRefused: null,
}

/** When the days begin that tasks are due on. */
export const taskTimers = timerModel({ name: 'task_timers', service: 'center', version: 2, of: { task: events }, on })
