import { calendarEventTimers } from '../../../projections/office/calendar-event-timers.ts'
import { calendarEvents } from '../../../projections/office/calendar-events.ts'
import { rowsFor } from '../../support/rows-spec.ts'

const plain = {
  title: 'Proofs',
  calendar: 'printing',
  kind: 'meeting',
  starts: '2026-03-23T09:00:00',
  ends: '2026-03-23T10:00:00',
  more_dates: [],
  left_out: [],
  changed: [],
  status: 'confirmed',
  busy: true,
  attendees: [],
  reminders: [],
  tags: [],
}
const added = { type: 'CalendarEventAdded', data: { ...plain, owner: 'user-1' } }
const next = { at: '2026-03-23T08:45:00.000Z', occurrence: '2026-03-23T09:00:00', minutes: 15 }
const set = { type: 'CalendarEventReminderSet', data: { next } }

describe('rows: calendar events', () => {
  const { given } = rowsFor(calendarEvents)

  it('have bounds of when they can take place, in any zone', async () => {
    const span = { first_at: '2026-03-21T09:00:00.000Z', last_at: '2026-03-25T10:00:00.000Z' }
    await given(added, set).then({ ...plain, ...span, owner: 'user-1' })
    const endless = { type: 'CalendarEventChanged', data: { rule: 'FREQ=DAILY' } }
    await given(added, endless).then({ rule: 'FREQ=DAILY', last_at: '9999-12-31T23:59:59.000Z' })
    await given(added, { type: 'CalendarEventRemoved', data: {} }).then()
  })
})

describe('rows: timers of calendar events', () => {
  const { given } = rowsFor(calendarEventTimers)

  it('are the next reminder', async () => {
    await given(added).then()
    await given(added, set).then({ due_at: next.at, command: 'remind', body: { reminder: next } })
    const reminded = { type: 'CalendarEventReminded', data: { reminder: next, to: ['user-1'], next: null } }
    await given(added, set, reminded).then()
    await given(added, set, { type: 'CalendarEventRemoved', data: {} }).then()
  })
})
