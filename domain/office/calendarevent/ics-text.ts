/** Events as iCalendar files (RFC 5545). */
import { contentLines, escaped, fileOf, lineText, paramText } from '../../record/content-line.ts'
import { localOf, type Timed } from './expand.ts'
import { OCCURRENCE, USER } from './ics.ts'
import { zoneText } from './zones.ts'

/** A row of an event with its texts opened. */
export type EventRow = Timed & Readonly<Record<string, unknown>> & { readonly id: string; readonly updated_at: string }

/** Events as a calendar; `name` is how readers call it. */
export function calendarText(rows: readonly EventRow[], name?: string): string {
  const zones = new Map<string, number>()
  for (const { zone, starts } of rows) {
    const year = Math.max(1970, Number(starts.slice(0, 4)))
    if (zone && zone !== 'UTC') zones.set(zone, Math.min(year, zones.get(zone) ?? year))
  }
  return fileOf([
    'BEGIN:VCALENDAR',
    'VERSION:2.0',
    'PRODID:-//Kogi//Office//EN',
    ...(name === undefined ? [] : [`X-WR-CALNAME:${escaped(name)}`]),
    ...[...zones].flatMap(([zone, year]) => zoneText(zone, year)),
    ...rows.flatMap(eventLines),
    'END:VCALENDAR',
  ])
}

const compact = (text: string) => text.replaceAll(/[-:]/g, '')

/** A time as the property of the event's zone. */
function timeLine(name: string, text: string, zone: string | null | undefined): string {
  if (text.length === 10) return `${name};VALUE=DATE:${compact(text)}`
  if (text.endsWith('Z') || zone === 'UTC') return `${name}:${compact(text).replace(/Z?$/, 'Z')}`
  return `${name}${zone ? `;TZID=${paramText(zone)}` : ''}:${compact(text)}`
}

function eventLines(row: EventRow): readonly string[] {
  const { id, zone, starts, ends, rule, more_dates = [], left_out = [], changed = [] } = row
  const text = (field: string) => (typeof row[field] === 'string' ? (row[field] as string) : '')
  const said = (name: string, value: string) => (value === '' ? [] : [`${name}:${value}`])
  const uid = text('uid') || id
  const stamp = `${compact(row.updated_at.slice(0, 19))}Z`
  const [own, changes] = moreOf(text('more'))
  const attendees = (row.attendees ?? []) as readonly { readonly user: string; readonly answer: string }[]
  const begin = (title: string) => [
    'BEGIN:VEVENT',
    `UID:${escaped(uid)}`,
    `DTSTAMP:${stamp}`,
    `SUMMARY:${escaped(title)}`,
  ]
  return [
    ...begin(text('title')),
    timeLine('DTSTART', starts, zone),
    ...(ends ? [timeLine('DTEND', ends, zone)] : []),
    ...said('RRULE', rule ?? ''),
    ...more_dates.map(date => timeLine('RDATE', date, zone)),
    ...left_out.map(date => timeLine('EXDATE', date, zone)),
    ...said('DESCRIPTION', escaped(text('description'))),
    ...said('LOCATION', escaped(text('location'))),
    ...(text('status') === 'confirmed' ? [] : said('STATUS', text('status').toUpperCase())),
    ...(row.busy === false ? ['TRANSP:TRANSPARENT'] : []),
    ...said('CATEGORIES', ((row.tags ?? []) as string[]).map(escaped).join(',')),
    ...attendees.map(attendeeLine),
    ...((row.reminders ?? []) as number[]).flatMap(alarmLines),
    ...own,
    'END:VEVENT',
    ...changed.flatMap(change => [
      ...begin(change.title ?? text('title')),
      timeLine(`RECURRENCE-ID${change.and_future ? ';RANGE=THISANDFUTURE' : ''}`, change.occurrence, zone),
      timeLine('DTSTART', change.starts ?? change.occurrence, zone),
      ...(change.starts && change.ends ? [timeLine('DTEND', change.ends, zone)] : lasting(row)),
      ...(change.cancelled ? ['STATUS:CANCELLED'] : []),
      ...(changes.get(change.occurrence) ?? []).filter(line => !change.cancelled || !line.startsWith('STATUS')),
      'END:VEVENT',
    ]),
  ]
}

/** A changed occurrence without an end of its own lasts as long as the others. */
function lasting({ starts, ends }: EventRow): readonly string[] {
  if (!ends) return []
  const seconds = localOf(ends) - localOf(starts)
  return [seconds % 86_400 === 0 ? `DURATION:P${seconds / 86_400}D` : `DURATION:PT${seconds}S`]
}

function attendeeLine({ user, answer }: { readonly user: string; readonly answer: string }): string {
  const params = { PARTSTAT: [answer.toUpperCase().replace('_', '-')], CN: [user] }
  return lineText({ name: 'ATTENDEE', params, value: USER + encodeURIComponent(user) })
}

const alarmLines = (minutes: number) => [
  'BEGIN:VALARM',
  'ACTION:DISPLAY',
  'DESCRIPTION:Reminder',
  `TRIGGER:-PT${minutes}M`,
  'END:VALARM',
]

/** The further lines of the series, and of its changed occurrences by which they are. */
function moreOf(text: string): readonly [readonly string[], ReadonlyMap<string, readonly string[]>] {
  const own: string[] = []
  const changes = new Map<string, string[]>()
  let into = own
  for (const line of text.split('\n')) {
    if (line.startsWith(`${OCCURRENCE}:`)) {
      into = []
      changes.set(line.slice(OCCURRENCE.length + 1), into)
    } else if (line !== '' && contentLines(line).lines.length === 1) into.push(line)
  }
  return [own, changes]
}
