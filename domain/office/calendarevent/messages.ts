/** The calendar event's storage and wire contract: add fields, never rename them. */
import { boolean, integer, list, object, oneOf, personal, ref, refined, text, timestamp } from '../../kernel/schema.ts'
import { recordMessages } from '../../record/record.ts'
import { personName } from '../../record/subject.ts'
import { secondsOf } from '../../time/civil.ts'

const isTime = (value: string) =>
  value >= '0001' && secondsOf(value.length === 10 ? `${value}T00:00:00` : value.replace(/Z$/, '')) !== undefined
const time = (description: string) =>
  refined(text(20), isTime, 'must be a day, 2026-01-31, or a time, 2026-01-31T09:00:00').meta({ description })

const occurrence = time('which one it is: when it would start by the rule')
export const ANSWERS = ['needs_action', 'accepted', 'declined', 'tentative'] as const
const attendee = object({ user: personName, answer: oneOf(...ANSWERS).default('needs_action') })

const change = object({
  occurrence,
  starts: time('when it starts instead').optional(),
  ends: time('when it ends instead').optional(),
  title: text(500).optional(),
  cancelled: boolean.optional(),
  and_future: boolean.optional().meta({ description: 'whether all later ones are moved as far' }),
})

const plain = recordMessages({
  one: 'calendar event',
  many: 'calendar events',
  fields: {
    title: text(500),
    calendar: ref('calendar'),
    kind: oneOf('event', 'meeting', 'appointment', 'task').default('event'),
    starts: time('a day, 2026-01-31, or a time by the clock of its zone, 2026-01-31T09:00:00'),
    ends: time('when it is over: the day after the last one, or a time by the same clock').optional(),
    zone: text(64).optional().meta({ description: 'time zone: Europe/Berlin; that of whoever looks, without one' }),
    rule: text(500).optional().meta({ description: 'recurrence as in RFC 5545: FREQ=WEEKLY;BYDAY=MO' }),
    more_dates: list(time('a further start'), 2_000).default([]),
    left_out: list(time('a start of the rule that is left out'), 2_000).default([]),
    changed: list(change, 1_000).default([]).meta({ description: 'occurrences that are not as the rule says' }),
    status: oneOf('confirmed', 'tentative', 'cancelled').default('confirmed'),
    busy: boolean.default(true).meta({ description: 'whether the time is taken' }),
    attendees: list(attendee, 500).default([]),
    reminders: list(integer(0, 40_320), 10).default([]).meta({ description: 'minutes before each start' }),
    tags: list(text(255), 100).default([]),
    project: ref('project').optional(),
    uid: text(255).optional().meta({ description: 'its UID in calendar files; its id, where there is none' }),
    resource: text(255).optional().meta({ description: 'its name on the CalDAV server, where that is not its UID' }),
    description: personal('owner', text(50_000)).optional(),
    location: personal('owner', text(2_000)).optional(),
    more: personal('owner', text(200_000)).optional().meta({ description: 'further content lines of its file' }),
  },
  example: {
    title: 'The printer shows proofs',
    calendar: 'calendar-1',
    kind: 'meeting',
    starts: '2026-12-07T09:00:00',
    ends: '2026-12-07T10:00:00',
    zone: 'Europe/Berlin',
    rule: 'FREQ=WEEKLY;COUNT=4',
    attendees: [{ user: 'mira' }],
    reminders: [15],
  },
})

/** A reminder to come: of which occurrence, how long before it, and when that is. */
const reminder = object({ at: timestamp, occurrence, minutes: integer(0, 40_320) })

/** Something in a calendar, once or again and again, with who takes part. */
export const messages = {
  ...plain,
  events: {
    ...plain.events,
    /** What is reminded of next: `null` where nothing is. */
    CalendarEventReminderSet: object({ next: reminder.nullable() }),
    CalendarEventReminded: object({ reminder, to: list(personName, 501), next: reminder.nullable() }),
  },
  commands: {
    ...plain.commands,
    answer: object({ answer: oneOf('accepted', 'declined', 'tentative') }).meta({ examples: [{ answer: 'accepted' }] }),
    changeOccurrence: change.meta({ examples: [{ occurrence: '2026-12-14T09:00:00', starts: '2026-12-14T11:00:00' }] }),
    remind: object({ reminder }),
  },
  rejections: [
    ...plain.rejections,
    'calendar_event_rule_invalid',
    'calendar_event_zone_unknown',
    'calendar_event_times_differ',
    'calendar_event_not_invited',
    'calendar_event_no_occurrence',
  ],
}
