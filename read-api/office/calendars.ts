/** What takes place when: calendars as files, occurrences, free and busy times, conflicts, the caller's schedule. */
import { z } from 'zod'
import type { ApiRequest, Parameter, Route } from '../../domain/kernel/route.ts'
import { boolean, id, oneOf, text, timestamp } from '../../domain/kernel/schema.ts'
import { calendarText, type EventRow } from '../../domain/office/calendarevent/ics-text.ts'
import { ANSWERS } from '../../domain/office/calendarevent/messages.ts'
import { DAY_SECONDS } from '../../domain/time/civil.ts'
import { tasks } from '../../projections/center/tasks.ts'
import { calendarEvents } from '../../projections/office/calendar-events.ts'
import { calendars } from '../../projections/office/calendars.ts'
import { asOfErrors, asOfParameter } from '../as-of.ts'
import { readErrors } from '../consistency.ts'
import { fromPath, inQuery, queriesOf, severalInQuery, tokenParameters } from '../parameters.ts'
import type { ResourceDeps } from '../resource.ts'
import { notFound } from '../scope.ts'
import { expanded, type Window } from './expanding.ts'
import {
  concerns,
  conflictsIn,
  DAYS_MAX,
  type EventData,
  type Found,
  instant,
  joined,
  ofTask,
  scheduled,
  shown,
  takesPlace,
  takesTime,
  windowOf,
} from './found.ts'
import { type ReadRows, rowsOf } from './rows.ts'

const EVENTS_MAX = 100_000
const CALENDARS_MAX = 10_000

const moment: readonly Parameter[] = [asOfParameter, ...tokenParameters]
const window: readonly Parameter[] = [
  { ...inQuery('from', timestamp, 'the beginning of the period'), required: true },
  {
    ...inQuery(
      'to',
      timestamp.meta({ examples: ['2027-01-01T00:00:00.000Z'] }),
      `the end of the period, ${DAYS_MAX} days later at most`,
    ),
    required: true,
  },
  inQuery('zone', text(64), 'the time zone of days and of times without one; UTC, if left out'),
  severalInQuery('calendar', id('calendar'), 'only these calendars'),
  ...moment,
]

const times = { starts_at: timestamp, ends_at: timestamp }
const occurrence = z
  .strictObject({
    event: id('calendar event'),
    calendar: id('calendar'),
    occurrence: text(20).meta({ description: 'which one it is: its start by the rule' }),
    title: text(500),
    kind: text(64),
    status: text(64),
    busy: boolean,
    all_day: boolean,
    ...times,
    answer: oneOf(...ANSWERS)
      .optional()
      .meta({ description: 'what the caller said, where they are asked' }),
  })
  .meta({ title: 'Occurrence' })
const period = z.strictObject(times).meta({ title: 'BusyPeriod' })
const conflict = z.strictObject({ first: occurrence, second: occurrence }).meta({ title: 'CalendarConflict' })
const entry = z
  .strictObject({
    kind: text(64).meta({ description: 'event, meeting, appointment or task' }),
    category: oneOf('calendarevent', 'task'),
    id: id('thing'),
    title: text(500),
    ...times,
    all_day: boolean,
  })
  .meta({ title: 'ScheduleEntry' })

/** What takes place in the period that a request asks about. */
type Occurring = {
  readonly found: readonly Found[]
  readonly asked: Window
  readonly request: ApiRequest
  readonly ofTasks: ReadRows
}

/** Answers that are made of occurrences alone, or of them and tasks. */
type Answer = Pick<Route, 'path' | 'operationId' | 'summary' | 'response'> & {
  readonly alsoNeeds?: readonly string[]
  readonly answer: (occurring: Occurring) => unknown
}

const answers: readonly Answer[] = [
  {
    path: '/koff/occurrences',
    operationId: 'listOccurrences',
    summary: 'What takes place in a period: each occurrence of each event that the caller may read, in order.',
    response: z.array(occurrence),
    answer: ({ found, request }) => found.map(one => shown(one, request)),
  },
  {
    path: '/koff/free-busy',
    operationId: 'listBusyPeriods',
    summary: 'The times of a period that are taken, joined where they touch; what is between them is free.',
    response: z.array(period),
    answer: ({ found, asked }) =>
      joined(found.filter(takesTime), asked).map(([from, to]) => ({ starts_at: instant(from), ends_at: instant(to) })),
  },
  {
    path: '/koff/conflicts',
    operationId: 'listConflicts',
    summary: 'Pairs of events of a period that take the same time.',
    response: z.array(conflict),
    answer: ({ found, request }) =>
      conflictsIn(found.filter(takesTime)).map(([first, second]) => ({
        first: shown(first, request),
        second: shown(second, request),
      })),
  },
  {
    path: '/koff/schedule',
    operationId: 'listSchedule',
    summary: "The caller's schedule: meetings, appointments and events, and their tasks on the days they are due.",
    alsoNeeds: ['center.tasks.read'],
    response: z.array(entry),
    async answer({ found, asked, request, ofTasks }) {
      const { subject } = request.principal
      const due = {
        assignee: subject,
        'due_on[gte]': instant(asked.from).slice(0, 10),
        'due_on[lt]': instant(asked.to + DAY_SECONDS - 1).slice(0, 10),
        'completed_at[absent]': 'true',
      }
      const { rows } = await ofTasks(request, due, EVENTS_MAX)
      const own = found.filter(one => takesPlace(one) && concerns(one.event, subject)).map(scheduled)
      return [...own, ...rows.map(ofTask)].toSorted((a, b) => (a.starts_at < b.starts_at ? -1 : 1))
    },
  },
]

/** The routes of calendars that are no lists of rows. */
export function calendarRoutes(deps: ResourceDeps): readonly Route[] {
  const [ofEvents, ofTasks] = [rowsOf(deps, calendarEvents), rowsOf(deps, tasks)]
  const made = answers.map(
    ({ answer, alsoNeeds, ...route }): Route => ({
      ...shared,
      ...route,
      ...(alsoNeeds && { alsoNeeds }),
      parameters: window,
      errors: { ...asOfErrors, ...readErrors },
      async handle(request) {
        const query = queriesOf(request, window)
        const asked = windowOf(query)
        const filter = {
          'first_at[lt]': instant(asked.to),
          'last_at[gt]': instant(asked.from),
          ...(query.calendar !== undefined && { calendar: query.calendar }),
        }
        const { rows, headers } = await ofEvents(request, filter, EVENTS_MAX)
        const found = await expanded(rows as unknown as readonly EventData[], asked)
        return { data: await answer({ found, asked, request, ofTasks }), headers }
      },
    }),
  )
  return [fileRoute(deps, ofEvents), ...made]
}

const shared = { method: 'GET', permission: 'office.calendar-events.read', tag: 'koff' } as const

function fileRoute(deps: ResourceDeps, ofEvents: ReadRows): Route {
  const ofCalendars = rowsOf(deps, calendars)
  const own: Parameter = { name: 'id', in: 'path', schema: id('calendar'), description: 'id of the calendar' }
  return {
    ...shared,
    path: '/koff/calendars/:id/ics',
    operationId: 'exportCalendar',
    summary: 'A calendar as an iCalendar file, for programs that read one.',
    parameters: [own, ...moment],
    response: z.string(),
    media: ['text/calendar'],
    errors: { ...asOfErrors, 404: ['not_found'], ...readErrors },
    async handle(request) {
      queriesOf(request, moment)
      const name = fromPath(request, 'id', id('calendar'))
      const known = await ofCalendars(request, {}, CALENDARS_MAX)
      const calendar = known.rows.find(row => row.id === name)
      if (!calendar) throw notFound('calendar', [name], undefined)
      const { rows, headers } = await ofEvents(request, { calendar: name }, EVENTS_MAX)
      const content = calendarText(rows as unknown as readonly EventRow[], String(calendar.name))
      return { file: { name: 'calendar.ics', type: 'text/calendar; charset=utf-8', content }, headers }
    },
  }
}
