import { timestamp } from '../../domain/kernel/schema.ts'
import { spanOf, type Timed } from '../../domain/office/calendarevent/expand.ts'
import { messages } from '../../domain/office/calendarevent/messages.ts'
import { localText, secondsOf } from '../../domain/time/civil.ts'
import { recordModel } from '../rows/record-model.ts'

const LAST = secondsOf('9999-12-31T23:59:59')!
const FIRST = secondsOf('0001-01-01T00:00:00')!
const instant = (seconds: number) => `${localText(Math.min(LAST, Math.max(FIRST, seconds)))}.000Z`
const bound = (which: 'from' | 'to') => (row: object) => instant(spanOf(row as Timed)[which])

/** One row per calendar event, for who may read its calendar. */
export const calendarEvents = recordModel(messages, {
  service: 'office',
  filters: [
    'calendar',
    'kind',
    'status',
    'starts',
    'zone',
    'tags',
    'project',
    'uid',
    'resource',
    'first_at',
    'last_at',
  ],
  groups: ['calendar', 'kind', 'status', 'project'],
  derived: {
    first_at: {
      schema: timestamp.meta({ description: 'no occurrence starts before, in any zone' }),
      of: bound('from'),
    },
    last_at: {
      schema: timestamp.meta({ description: 'no occurrence ends after, in any zone' }),
      of: bound('to'),
    },
  },
  readers: { like: { calendar: 'calendars' } },
  memory: { title: 'title', body: 'description', details: 'tags' },
})
