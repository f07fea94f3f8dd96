/**
 * Recurrence rules as RFC 5545 (3.3.10) has them. Where libraries differ the words of the RFC decide: what a rule does
 * not say comes from the start (so `BYWEEKNO` alone falls on the start's weekday), and dates that do not exist, such as
 * 29 February, are left out and not counted.
 */
import { secondsOf } from './civil.ts'

const FREQUENCIES = ['YEARLY', 'MONTHLY', 'WEEKLY', 'DAILY', 'HOURLY', 'MINUTELY', 'SECONDLY'] as const
type Frequency = (typeof FREQUENCIES)[number]
const WEEKDAYS = ['MO', 'TU', 'WE', 'TH', 'FR', 'SA', 'SU']

/** A weekday, and which one of the month or year: -1 is the last. */
export type NthDay = { readonly weekday: number; readonly nth?: number | undefined }

export type Rule = {
  readonly frequency: Frequency
  readonly interval: number
  readonly count?: number
  /** The last moment, in seconds of local time, or of UTC where `untilIsUtc`. */
  readonly until?: number
  readonly untilIsUtc: boolean
  readonly weekStart: number
  readonly byDay?: readonly NthDay[]
  readonly byMonth?: readonly number[]
  readonly byMonthDay?: readonly number[]
  readonly byYearDay?: readonly number[]
  readonly byWeek?: readonly number[]
  readonly byHour?: readonly number[]
  readonly byMinute?: readonly number[]
  readonly bySecond?: readonly number[]
  readonly bySetPosition?: readonly number[]
}

const COUNT_MAX = 10_000

type Parts = ReadonlyMap<string, string>

/** Reads a rule: `FREQ=MONTHLY;BYMONTHDAY=1`. Answers what is wrong with it as a text. */
export function parseRule(text: string): Rule | string {
  const parts = new Map<string, string>()
  for (const part of text.replace(/;$/, '').split(';')) {
    const [name, value, ...rest] = part.split('=')
    if (!name || !value || rest.length > 0) return `${part || 'an empty part'} is no NAME=VALUE`
    if (parts.has(name)) return `${name} stands twice`
    if (!KNOWN.has(name)) return `${name} is not supported`
    parts.set(name, value)
  }
  try {
    return checked(ruleOf(parts))
  } catch (error) {
    if (error instanceof RangeError) return error.message
    throw error
  }
}

const KNOWN: ReadonlySet<string> = new Set(
  'FREQ INTERVAL COUNT UNTIL WKST BYDAY BYMONTH BYMONTHDAY BYYEARDAY BYWEEKNO BYHOUR BYMINUTE BYSECOND BYSETPOS'.split(
    ' ',
  ),
)

function ruleOf(parts: Parts): Rule {
  const frequency = FREQUENCIES.find(name => name === parts.get('FREQ'))
  if (!frequency) throw new RangeError(`FREQ must be one of ${FREQUENCIES.join(', ')}`)
  const until = parts.get('UNTIL')
  const numbers = (name: string, min: number, max: number, signed = false) => {
    const value = parts.get(name)
    return value === undefined ? undefined : listOf(name, value, { min, max, signed })
  }
  const one = (name: string, min: number, max: number) => numbers(name, min, max)?.[0]
  const lists = {
    byDay: parts.get('BYDAY')?.split(',').map(nthDay),
    byMonth: numbers('BYMONTH', 1, 12),
    byMonthDay: numbers('BYMONTHDAY', 1, 31, true),
    byYearDay: numbers('BYYEARDAY', 1, 366, true),
    byWeek: numbers('BYWEEKNO', 1, 53, true),
    byHour: numbers('BYHOUR', 0, 23),
    byMinute: numbers('BYMINUTE', 0, 59),
    bySecond: numbers('BYSECOND', 0, 59),
    bySetPosition: numbers('BYSETPOS', 1, 366, true),
    count: one('COUNT', 1, COUNT_MAX),
    until: until === undefined ? undefined : untilOf(until),
  }
  const start = WEEKDAYS.indexOf(parts.get('WKST') ?? 'MO')
  if (start < 0) throw new RangeError(`WKST must be one of ${WEEKDAYS.join(', ')}`)
  const given = Object.entries(lists).filter(([, value]) => value !== undefined)
  return {
    frequency,
    interval: one('INTERVAL', 1, 1_000_000) ?? 1,
    weekStart: start,
    untilIsUtc: until?.endsWith('Z') ?? false,
    ...Object.fromEntries(given),
  }
}

/** What the RFC forbids, and what it leaves open (a week and a day of the month at once). */
function checked(rule: Rule): Rule {
  const { frequency, byDay, byWeek, byYearDay, byMonthDay, count, until } = rule
  const refuse = (wrong: boolean, message: string) => {
    if (wrong) throw new RangeError(message)
  }
  refuse(count !== undefined && until !== undefined, 'COUNT and UNTIL exclude each other')
  refuse(byWeek !== undefined && frequency !== 'YEARLY', 'BYWEEKNO needs FREQ=YEARLY')
  refuse(byWeek !== undefined && byMonthDay !== undefined, 'BYWEEKNO and BYMONTHDAY together are not supported')
  refuse(byMonthDay !== undefined && frequency === 'WEEKLY', 'BYMONTHDAY cannot stand with FREQ=WEEKLY')
  const isBetween = ['DAILY', 'WEEKLY', 'MONTHLY'].includes(frequency)
  refuse(byYearDay !== undefined && isBetween, 'BYYEARDAY cannot stand with FREQ=DAILY, WEEKLY or MONTHLY')
  const isCounted = byDay?.some(({ nth }) => nth !== undefined) ?? false
  const mayCount = frequency === 'MONTHLY' || (frequency === 'YEARLY' && byWeek === undefined)
  refuse(isCounted && !mayCount, 'BYDAY with a number needs FREQ=MONTHLY, or FREQ=YEARLY without BYWEEKNO')
  return rule
}

function listOf(name: string, value: string, { min, max, signed }: { min: number; max: number; signed: boolean }) {
  const numbers = value.split(',').map(text => (/^[+-]?\d{1,7}$/.test(text) ? Number(text) : Number.NaN))
  const isIn = (number: number) => {
    const size = signed ? Math.abs(number) : number
    return size >= min && size <= max
  }
  if (numbers.every(isIn)) return [...new Set(numbers)]
  throw new RangeError(`${name} must be ${min} to ${max}${signed ? `, or -${max} to -${min}` : ''}`)
}

function nthDay(text: string): NthDay {
  const [, number, name] = /^([+-]?\d{1,2})?([A-Z]{2})$/.exec(text) ?? []
  const weekday = WEEKDAYS.indexOf(name ?? '')
  const nth = number === undefined ? undefined : Number(number)
  if (weekday >= 0 && (nth === undefined || (nth !== 0 && Math.abs(nth) <= 53))) return { weekday, nth }
  throw new RangeError(`BYDAY must be weekdays such as MO or -1FR, not ${text}`)
}

/** A date means its beginning. */
function untilOf(text: string): number {
  const [, year, month, day, hour = '00', minute = '00', second = '00'] =
    /^(\d{4})(\d\d)(\d\d)(?:T(\d\d)(\d\d)(\d\d)Z?)?$/.exec(text) ?? []
  const seconds = secondsOf(`${year}-${month}-${day}T${hour}:${minute}:${second}`)
  if (seconds === undefined) throw new RangeError('UNTIL must be a time such as 20261231T235959Z')
  return seconds
}
