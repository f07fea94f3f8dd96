/** iCalendar files (RFC 5545) as events: what an event has no field for stays as content lines. */
import {
  type ContentLine,
  contentLines,
  type LineFault,
  lineText,
  partsOf,
  unescaped,
} from '../../record/content-line.ts'
import { DAY_SECONDS } from '../../time/civil.ts'
import { parseRule } from '../../time/rule.ts'
import { localOf } from './expand.ts'
import {
  asText,
  type Component,
  componentsOf,
  durationOf,
  Fault,
  inZone,
  propertyOf,
  timeOf,
  type Zones,
  zonesOf,
} from './ics-parts.ts'

/** The fields of an event as clients send them. */
type EventFields = Readonly<Record<string, unknown>> & { readonly title: string; readonly starts: string }

/** An event of a file: a series with its changed occurrences is one. */
type FileEvent = { readonly line: number; readonly fields: EventFields }

/** Begins the addresses of attendees who are users here. */
export const USER = 'urn:kogi:user:'

/** Between the lines of the series and those of a changed occurrence in `more`. */
export const OCCURRENCE = 'X-KOGI-OCCURRENCE'

/** The events of a file, the name of its calendar, and what is wrong with it, by line. */
export function eventsIn(text: string): {
  readonly name?: string
  readonly events: readonly FileEvent[]
  readonly faults: readonly LineFault[]
} {
  const { lines, faults } = contentLines(text)
  const roots = componentsOf(lines, faults)
  const calendars = roots.filter(({ name }) => name === 'VCALENDAR')
  if (calendars.length === 0) faults.push({ line: 1, message: 'holds no BEGIN:VCALENDAR' })
  const events: FileEvent[] = []
  for (const calendar of calendars) {
    const zones = zonesOf(calendar, faults)
    const series = new Map<string, Component[]>()
    for (const part of calendar.parts) {
      if (part.name !== 'VEVENT') continue
      const uid = propertyOf(part, 'UID') ?? `line ${part.line}`
      series.set(uid, [...(series.get(uid) ?? []), part])
    }
    for (const parts of series.values()) {
      const masters = parts.filter(part => !part.lines.some(({ name }) => name === 'RECURRENCE-ID'))
      const changes = parts.filter(part => !masters.includes(part))
      const [master] = masters.toSorted(byVersion)
      try {
        const fields = master ? fieldsOf(master, changes, zones, faults) : withoutSeries(changes, zones, faults)
        events.push({ line: (master ?? parts[0]!).line, fields })
      } catch (error) {
        if (!(error instanceof Fault)) throw error
        faults.push({ line: error.line, message: error.message })
      }
    }
  }
  const name = calendars
    .map(calendar => propertyOf(calendar, 'X-WR-CALNAME') ?? propertyOf(calendar, 'NAME'))
    .find(Boolean)
  return { ...(name && { name: unescaped(name) }), events, faults: faults.toSorted((a, b) => a.line - b.line) }
}

/** Of several versions of a series the last one counts (RFC 5545, section 3.8.7.4). */
function byVersion(a: Component, b: Component): number {
  const sequence = (part: Component) => Number(propertyOf(part, 'SEQUENCE') ?? 0) || 0
  const changed = (part: Component) => propertyOf(part, 'LAST-MODIFIED') ?? propertyOf(part, 'DTSTAMP') ?? ''
  return sequence(b) - sequence(a) || (changed(a) < changed(b) ? 1 : changed(a) > changed(b) ? -1 : 0)
}

/** Occurrences whose series the file does not have: the first one with the others as further dates. */
function withoutSeries([first, ...others]: readonly Component[], zones: Zones, faults: LineFault[]): EventFields {
  const fields = fieldsOf(first!, others, zones, faults)
  const changed = (fields.changed ?? []) as readonly { readonly occurrence: string }[]
  return changed.length === 0 ? fields : { ...fields, more_dates: changed.map(({ occurrence }) => occurrence) }
}

const STATUSES: Readonly<Record<string, string>> = { TENTATIVE: 'tentative', CANCELLED: 'cancelled' }
/** Properties that fields say, or that are made anew. */
const SAID = new Set(
  (
    'UID SUMMARY DESCRIPTION LOCATION DTSTART DTEND DURATION RRULE RDATE EXDATE RECURRENCE-ID STATUS TRANSP DTSTAMP ' +
    'CATEGORIES'
  ).split(' '),
)

function fieldsOf(master: Component, changes: readonly Component[], zones: Zones, faults: LineFault[]): EventFields {
  const { starts, ends, zone } = periodOf(master, zones)
  const text = (name: string) => unescaped(propertyOf(master, name) ?? '').trim() || undefined
  const rules = master.lines.filter(({ name }) => name === 'RRULE')
  const [rule] = rules.flatMap(line => ruleIn(line, starts, faults))
  if (rules.length > 1) faults.push({ line: rules[1]!.line, message: 'RRULE stands twice: the first one counts' })
  const dates = (name: string) => [...new Set(datesOf(master, name, zones, zone, starts, faults))]
  const [more_dates, left_out] = [dates('RDATE'), dates('EXDATE')]
  const pairs = changes.flatMap(part => changeOf(part, zones, zone, starts, faults).map(change => ({ part, change })))
  const title = (text('SUMMARY') ?? 'untitled').slice(0, 500)
  const changed = pairs.map(({ change: { title: own, ...change } }) =>
    own && own !== title ? { ...change, title: own } : change,
  )
  const categories = master.lines.flatMap(line => (line.name === 'CATEGORIES' ? partsOf(line.value, ',') : []))
  const users = master.lines.flatMap(attendeeOf)
  const reminders = [...new Set(master.parts.flatMap(part => reminderOf(part) ?? []))]
  const more = [...moreOf(master), ...pairs.flatMap(moreOfChange)]
  const status = STATUSES[propertyOf(master, 'STATUS')?.toUpperCase() ?? '']
  return {
    title,
    starts,
    ...(ends && { ends }),
    ...(zone && { zone }),
    ...(rule && { rule }),
    ...(more_dates.length > 0 && { more_dates }),
    ...(left_out.length > 0 && { left_out }),
    ...(changed.length > 0 && { changed }),
    ...(text('UID') && { uid: text('UID')!.slice(0, 255) }),
    ...(text('DESCRIPTION') && { description: text('DESCRIPTION') }),
    ...(text('LOCATION') && { location: text('LOCATION') }),
    ...(status && { status }),
    ...(propertyOf(master, 'TRANSP')?.toUpperCase() === 'TRANSPARENT' && { busy: false }),
    ...(categories.length > 0 && {
      tags: [...new Set(categories.map(each => unescaped(each).trim()).filter(Boolean))],
    }),
    ...(users.length > 0 && { attendees: users }),
    ...(reminders.length > 0 && { reminders }),
    ...(more.length > 0 && { more: more.join('\n') }),
  }
}

/** What no field says, alarms among it, unfolded. */
const moreOf = ({ lines, parts }: Component): readonly string[] => [
  ...lines.flatMap(line => (SAID.has(line.name) || attendeeOf(line).length > 0 ? [] : [lineText(line)])),
  ...parts
    .filter(part => reminderOf(part) === undefined)
    .flatMap(function whole(part): string[] {
      return [`BEGIN:${part.name}`, ...part.lines.map(lineText), ...part.parts.flatMap(whole), `END:${part.name}`]
    }),
]

/** An attendee who is a user here. */
function attendeeOf({ name, value, params }: ContentLine): readonly object[] {
  if (name !== 'ATTENDEE' || !value.startsWith(USER)) return []
  const answer = params.PARTSTAT?.[0]?.toLowerCase().replace('-', '_') ?? 'needs_action'
  try {
    return [{ user: decodeURIComponent(value.slice(USER.length)), answer }]
  } catch {
    return []
  }
}

const OF_REMINDERS = new Set(['ACTION', 'TRIGGER', 'DESCRIPTION'])

/** Minutes before the start of an alarm that says nothing else. */
function reminderOf({ name, lines }: Component): number | undefined {
  const trigger = lines.find(each => each.name === 'TRIGGER')
  const isPlain = name === 'VALARM' && lines.every(each => OF_REMINDERS.has(each.name))
  const isShown = lines.some(each => each.name === 'ACTION' && each.value === 'DISPLAY')
  if (!trigger || !isPlain || !isShown || Object.keys(trigger.params).length > 0) return undefined
  const [, minutes] = /^-PT(\d{1,5})M$/.exec(trigger.value) ?? []
  return minutes !== undefined && Number(minutes) <= 40_320 ? Number(minutes) : undefined
}

function moreOfChange({
  part,
  change,
}: {
  part: Component
  change: { readonly occurrence: string }
}): readonly string[] {
  const texts = part.lines.filter(({ name }) => ['DESCRIPTION', 'LOCATION', 'STATUS', 'TRANSP'].includes(name))
  const more = [...texts.map(lineText), ...moreOf(part)]
  return more.length > 0 ? [`${OCCURRENCE}:${change.occurrence}`, ...more] : []
}

function periodOf(part: Component, zones: Zones): { starts: string; ends?: string; zone?: string | undefined } {
  const found = part.lines.filter(({ name }) => name === 'DTSTART')
  const [first] = found
  if (!first) throw new Fault(part.line, 'the event has no DTSTART')
  if (found.length > 1) throw new Fault(found[1]!.line, 'DTSTART stands twice')
  const { text: starts, zone } = timeOf(first, first.value, zones)
  const [end, lasts] = ['DTEND', 'DURATION'].map(wanted => part.lines.find(({ name }) => name === wanted))
  if (lasts && !end) {
    const seconds = durationOf(lasts)
    const ends =
      starts.length === 10
        ? localOf(starts) + Math.ceil(seconds / DAY_SECONDS) * DAY_SECONDS
        : localOf(starts) + seconds
    return { starts, zone, ends: asText(ends, starts) }
  }
  if (!end) return { starts, zone }
  const ends = inZone(timeOf(end, end.value, zones), zone, starts)
  return { starts, zone, ...(localOf(ends) >= localOf(starts) && { ends }) }
}

/** Further times, or those left out; where a zone is unknown or a value is none, the fault says so. */
function datesOf(
  part: Component,
  wanted: string,
  zones: Zones,
  zone: string | undefined,
  starts: string,
  faults: LineFault[],
): readonly string[] {
  return part.lines.flatMap(line => {
    if (line.name !== wanted) return []
    return line.value.split(',').flatMap(value => {
      if (value.trim() === '') {
        faults.push({ line: line.line, message: `${wanted} names no time` })
        return []
      }
      try {
        const time = timeOf(line, value.split('/')[0]!, zones)
        return [time.text.length === 10 && starts.length > 10 ? time.text : inZone(time, zone, starts)]
      } catch (error) {
        if (!(error instanceof Fault)) throw error
        faults.push({ line: error.line, message: error.message })
        return []
      }
    })
  })
}

function ruleIn({ line, value }: ContentLine, starts: string, faults: LineFault[]): readonly string[] {
  const text = value.trim().toUpperCase().replace(/;$/, '')
  // A series of days ends on a day.
  const rule = starts.length === 10 ? text.replace(/(UNTIL=\d{8})T\d{6}Z?/, '$1') : text
  const parsed = parseRule(rule)
  if (typeof parsed === 'object') return [rule]
  faults.push({ line, message: `RRULE is not followed: ${parsed}` })
  return []
}

function changeOf(part: Component, zones: Zones, zone: string | undefined, starts: string, faults: LineFault[]) {
  try {
    const line = part.lines.find(({ name }) => name === 'RECURRENCE-ID')!
    const occurrence = inZone(timeOf(line, line.value, zones), zone, starts)
    const title = unescaped(propertyOf(part, 'SUMMARY') ?? '').trim()
    const isCancelled = propertyOf(part, 'STATUS')?.toUpperCase() === 'CANCELLED'
    const own = periodOf(part, zones)
    const at = (text: string) => inZone({ text, zone: own.zone }, zone, own.starts.length === 10 ? own.starts : starts)
    return [
      {
        occurrence,
        starts: at(own.starts),
        ...(own.ends && { ends: at(own.ends) }),
        ...(title && { title: title.slice(0, 500) }),
        ...(isCancelled && { cancelled: true }),
        ...(line.params.RANGE?.[0]?.toUpperCase() === 'THISANDFUTURE' && { and_future: true }),
      },
    ]
  } catch (error) {
    if (!(error instanceof Fault)) throw error
    faults.push({ line: error.line, message: error.message })
    return []
  }
}
