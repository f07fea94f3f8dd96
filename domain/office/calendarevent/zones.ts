/** Time zones of iCalendar files by their names in the platform's data (IANA), or by what they say of themselves. */
import type { ContentLine } from '../../record/content-line.ts'
import { DAY_SECONDS, dateOf, dayOf, daysInMonth, localText, secondsOf, weekdayOf } from '../../time/civil.ts'
import { occurrences } from '../../time/occurrences.ts'
import { parseRule } from '../../time/rule.ts'
import { isZone, offsetAt } from '../../time/zone.ts'

/** Names that Windows has for zones, the most common ones (CLDR). */
const WINDOWS: Readonly<Record<string, string>> = {
  'W. Europe Standard Time': 'Europe/Berlin',
  'Central Europe Standard Time': 'Europe/Budapest',
  'Central European Standard Time': 'Europe/Warsaw',
  'Romance Standard Time': 'Europe/Paris',
  'GMT Standard Time': 'Europe/London',
  'Greenwich Standard Time': 'Atlantic/Reykjavik',
  'E. Europe Standard Time': 'Europe/Chisinau',
  'FLE Standard Time': 'Europe/Kiev',
  'GTB Standard Time': 'Europe/Bucharest',
  'Russian Standard Time': 'Europe/Moscow',
  'Turkey Standard Time': 'Europe/Istanbul',
  'Israel Standard Time': 'Asia/Jerusalem',
  'Eastern Standard Time': 'America/New_York',
  'Central Standard Time': 'America/Chicago',
  'Mountain Standard Time': 'America/Denver',
  'US Mountain Standard Time': 'America/Phoenix',
  'Pacific Standard Time': 'America/Los_Angeles',
  'Atlantic Standard Time': 'America/Halifax',
  'E. South America Standard Time': 'America/Sao_Paulo',
  'India Standard Time': 'Asia/Kolkata',
  'China Standard Time': 'Asia/Shanghai',
  'Tokyo Standard Time': 'Asia/Tokyo',
  'Singapore Standard Time': 'Asia/Singapore',
  'AUS Eastern Standard Time': 'Australia/Sydney',
  'New Zealand Standard Time': 'Pacific/Auckland',
  GMT: 'UTC',
}

/** An observance of a VTIMEZONE: when it begins, and the offset from then on. */
export type Observance = { readonly onsets: readonly number[]; readonly from: number; readonly to: number }

/** The zone of a TZID: by its name, one below a path (`/example.org/Europe/Berlin`), or what its definition says. */
export function zoneNamed(
  tzid: string,
  observances: readonly Observance[] | undefined,
  year: number,
): string | undefined {
  const parts = tzid.split('/').filter(Boolean)
  const names = [WINDOWS[tzid], ...parts.map((_, at) => parts.slice(at).join('/'))]
  const named = names.find(
    name => name !== undefined && /^[A-Za-z]/.test(name) && (name.includes('/') || name === 'UTC') && isZone(name),
  )
  if (named) return named
  if (observances?.length) return likeThat(observances, year)
  return /^[A-Za-z]/.test(tzid) && isZone(tzid) ? tzid : undefined
}

const YEARS = 3
let all: readonly string[] | undefined

/** The first zone that has the offsets of a definition on each day of some years; of one offset, the fixed one. */
function likeThat(observances: readonly Observance[], year: number, years = YEARS): string | undefined {
  const days = Array.from({ length: years * 73 }, (_, n) => dayOf(year, 1, 1 + n * 5) * DAY_SECONDS)
  const wanted = days.map(day => offsetOf(observances, day))
  const [first] = wanted
  if (wanted.every(offset => offset === first) && first! % 3_600 === 0) {
    return first === 0 ? 'UTC' : `Etc/GMT${first! > 0 ? '-' : '+'}${Math.abs(first!) / 3_600}`
  }
  all ??= Intl.supportedValuesOf('timeZone')
  const fits = (zone: string) => days.every((day, n) => offsetAt(zone, day - wanted[n]!) === wanted[n])
  return [...LIKELY, ...all].find(fits) ?? (years > 1 ? likeThat(observances, year, 1) : undefined)
}

const LIKELY = [
  'Europe/Berlin',
  'Europe/London',
  'America/New_York',
  'America/Chicago',
  'America/Denver',
  'America/Los_Angeles',
]

/** The offset that a definition has at a local time. */
function offsetOf(observances: readonly Observance[], local: number): number {
  let [last, offset] = [Number.NEGATIVE_INFINITY, observances[0]!.from]
  for (const { onsets, to } of observances) {
    for (const onset of onsets) if (onset <= local && onset > last) [last, offset] = [onset, to]
  }
  return offset
}

/** The observance of a STANDARD or DAYLIGHT, `undefined` where it is not whole. */
export function observanceOf(lines: readonly ContentLine[], until: number): Observance | undefined {
  const value = (name: string) => lines.find(line => line.name === name)?.value ?? ''
  const seconds = (name: string) => {
    const [, sign, h, m, s = '0'] = /^([+-])(\d\d)(\d\d)(\d\d)?$/.exec(value(name)) ?? []
    return sign === undefined || Number(h) > 23 || Number(m) > 59
      ? undefined
      : (sign === '-' ? -1 : 1) * (Number(h) * 3_600 + Number(m) * 60 + Number(s))
  }
  const [from, to, start] = [seconds('TZOFFSETFROM'), seconds('TZOFFSETTO'), localIn(value('DTSTART'))]
  if (from === undefined || to === undefined || start === undefined) return undefined
  const onsets = [start, ...lines.flatMap(line => (line.name === 'RDATE' ? line.value.split(',').map(localIn) : []))]
  const rule = value('RRULE') ? parseRule(value('RRULE')) : undefined
  if (typeof rule === 'object') {
    const end = Math.min(rule.until ?? Number.POSITIVE_INFINITY, until)
    let left = rule.count ?? 1_000
    for (const onset of occurrences(rule, start)) {
      if (onset > end || left-- <= 0) break
      onsets.push(onset)
    }
  }
  return { onsets: onsets.filter(onset => onset !== undefined), from, to }
}

const localIn = (text: string): number | undefined => {
  const [, y, m, d, time = '000000'] = /^(\d{4})(\d\d)(\d\d)(?:T(\d{6})Z?)?$/.exec(text) ?? []
  return secondsOf(`${y}-${m}-${d}T${time.replace(/(..)(..)(..)/, '$1:$2:$3')}`)
}

const DAYS = ['MO', 'TU', 'WE', 'TH', 'FR', 'SA', 'SU']

/** The definition of a zone as it is in a year and the years after (section 3.6.5). */
export function zoneText(zone: string, year: number): readonly string[] {
  const changes = changesIn(zone, year)
  const offset = offsetAt(zone, dayOf(year, 1, 1) * DAY_SECONDS)
  const parts = changes.length > 0 ? changes : [{ at: dayOf(year, 1, 1) * DAY_SECONDS, from: offset, to: offset }]
  const low = Math.min(...parts.flatMap(({ from, to }) => [from, to]))
  const written = parts.flatMap(({ at, from, to }) => {
    const kind = to > low ? 'DAYLIGHT' : 'STANDARD'
    const local = at + from
    const { month, day } = dateOf(Math.floor(local / DAY_SECONDS))
    const isLast = day + 7 > daysInMonth(year, month)
    const weekday = DAYS[weekdayOf(Math.floor(local / DAY_SECONDS))]
    const rule = `RRULE:FREQ=YEARLY;BYMONTH=${month};BYDAY=${isLast ? -1 : Math.ceil(day / 7)}${weekday}`
    return [
      `BEGIN:${kind}`,
      `DTSTART:${localText(local).replaceAll(/[-:]/g, '')}`,
      ...(changes.length > 0 ? [rule] : []),
      `TZOFFSETFROM:${offsetText(from)}`,
      `TZOFFSETTO:${offsetText(to)}`,
      `END:${kind}`,
    ]
  })
  return ['BEGIN:VTIMEZONE', `TZID:${zone}`, ...written, 'END:VTIMEZONE']
}

/** The instants of a year at which the clocks of a zone are set. */
function changesIn(zone: string, year: number) {
  const found: { at: number; from: number; to: number }[] = []
  for (let day = dayOf(year, 1, 1); day < dayOf(year + 1, 1, 1); day += 1) {
    let [low, high] = [day * DAY_SECONDS, (day + 1) * DAY_SECONDS]
    const [from, to] = [offsetAt(zone, low), offsetAt(zone, high)]
    if (from === to) continue
    while (high - low > 1) {
      const middle = Math.floor((low + high) / 2)
      if (offsetAt(zone, middle) === from) low = middle
      else high = middle
    }
    found.push({ at: high, from, to })
  }
  return found
}

function offsetText(offset: number): string {
  const size = Math.abs(offset)
  const two = (value: number) => String(value).padStart(2, '0')
  return `${offset < 0 ? '-' : '+'}${two(Math.floor(size / 3_600))}${two(Math.floor(size / 60) % 60)}`
}
