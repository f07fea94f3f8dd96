import { events } from '../../domain/audit/accessrequest/messages.ts'
import { daysAfter } from '../../domain/time/civil.ts'
import type { Handlers } from '../rows/projection.ts'
import { clears, sets, type TimerRow, timerModel } from '../timers/timer-model.ts'

/** Days before a request is due on which its handler is reminded first. */
const BEFORE_DAYS = 7

const reminder = (dueOn: string, isLast: boolean) => ({
  at: `${daysAfter(dueOn, isLast ? 0 : -BEFORE_DAYS)}T00:00:00.000Z`,
  command: 'remind',
  body: { due_on: dueOn, is_last: isLast },
})

const on: Handlers<TimerRow, typeof events> = {
  AccessRequestReceived: sets(({ dueOn }) => reminder(dueOn, false)),
  AccessRequestExtended: sets(({ dueOn }) => reminder(dueOn, false)),
  AccessRequestReminded: sets(({ dueOn, isLast }) => (isLast ? undefined : reminder(dueOn, true))),
  AccessRequestAnswered: clears(),
  AccessRequestRefused: clears(),
}

/** When handlers of access requests are reminded: a week before, and on the day. */
export const accessRequestTimers = timerModel({
  name: 'access_request_timers',
  service: 'audit',
  version: 1,
  of: { accessrequest: events },
  on,
})
