import { messages } from '../../domain/office/calendarevent/messages.ts'
import type { Handlers } from '../rows/projection.ts'
import { clears, sets, type TimerRow, timerModel } from '../timers/timer-model.ts'

type Next = { readonly next: { readonly at: string } | null }

const next = sets<Next>(({ next: reminder }) =>
  reminder ? { at: reminder.at, command: 'remind', body: { reminder } } : undefined,
)

/** When attendees are reminded of an event. */
export const calendarEventTimers = timerModel({
  name: 'calendar_event_timers',
  service: 'office',
  version: 1,
  of: { calendarevent: messages.events },
  on: {
    CalendarEventAdded: null,
    CalendarEventChanged: null,
    CalendarEventRemoved: clears(),
    CalendarEventReminderSet: next,
    CalendarEventReminded: next,
  } as Handlers<TimerRow, typeof messages.events>,
})
