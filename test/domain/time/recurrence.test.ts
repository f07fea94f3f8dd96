import { expect } from 'chai'
import fc from 'fast-check'
import { type Due, firstDue, nextDue } from '../../../domain/time/due.ts'
import { occurrences } from '../../../domain/time/occurrences.ts'
import { parseRule, type Rule } from '../../../domain/time/rule.ts'

const BEFORE = '2000-01-01T00:00:00.000Z'

/** The first instants of a rule. */
function instantsOf(rule: string, starts: string, zone = 'UTC', count = 4): string[] {
  const recurrence = { rule, starts, zone }
  const found: string[] = []
  for (let due: Due | undefined = firstDue(recurrence, BEFORE); due && found.length < count; ) {
    found.push(due.at.slice(0, 16))
    due = nextDue(recurrence, due)
  }
  return found
}

describe('recurrence', () => {
  it('keeps the local time across a change of the clock', () =>
    expect(instantsOf('FREQ=DAILY', '2026-03-28T09:00:00', 'Europe/Berlin', 3)).to.deep.equal([
      '2026-03-28T08:00',
      '2026-03-29T07:00',
      '2026-03-30T07:00',
    ]))

  it('leaves a local time out that the spring gap swallows, and does not count it', () =>
    expect(instantsOf('FREQ=DAILY;COUNT=3', '2026-03-28T02:30:00', 'Europe/Berlin')).to.deep.equal([
      '2026-03-28T01:30',
      '2026-03-30T00:30',
      '2026-03-31T00:30',
    ]))

  it('takes the first of two equal local times in autumn', () =>
    expect(instantsOf('FREQ=DAILY', '2026-10-24T02:30:00', 'Europe/Berlin', 3)).to.deep.equal([
      '2026-10-24T00:30',
      '2026-10-25T00:30',
      '2026-10-26T01:30',
    ]))

  it('comes on 29 February of leap years alone', () =>
    expect(instantsOf('FREQ=YEARLY', '2024-02-29T12:00:00')).to.deep.equal([
      '2024-02-29T12:00',
      '2028-02-29T12:00',
      '2032-02-29T12:00',
      '2036-02-29T12:00',
    ]))

  it('leaves out months that have no such day', () =>
    expect(instantsOf('FREQ=MONTHLY', '2026-01-31T00:00:00')).to.deep.equal([
      '2026-01-31T00:00',
      '2026-03-31T00:00',
      '2026-05-31T00:00',
      '2026-07-31T00:00',
    ]))

  it('ends at UNTIL, an instant in UTC or a local time', () => {
    const until = (text: string) => instantsOf(`FREQ=DAILY;UNTIL=${text}`, '2026-01-01T00:30:00', 'Asia/Tokyo')
    expect(until('20260101T153000Z')).to.deep.equal(['2025-12-31T15:30', '2026-01-01T15:30'])
    expect(until('20260102T003000')).to.deep.equal(['2025-12-31T15:30', '2026-01-01T15:30'])
    expect(until('20260102T002959')).to.deep.equal(['2025-12-31T15:30'])
  })

  it('ends with the calendar', () => {
    const daily = (zone: string) => instantsOf('FREQ=DAILY', '9999-12-30T22:00:00', zone)
    expect(daily('UTC')).to.deep.equal(['9999-12-30T22:00', '9999-12-31T22:00'])
    expect(daily('America/New_York')).to.deep.equal(['9999-12-31T03:00'])
    expect(instantsOf('FREQ=YEARLY;INTERVAL=9000', '2026-03-28T09:00:00')).to.deep.equal(['2026-03-28T09:00'])
  })
  it('goes on from any time as from the start', () => {
    const recurrence = { rule: 'FREQ=HOURLY;INTERVAL=7;BYHOUR=9,10,11', starts: '2026-01-01T09:15:00', zone: 'UTC' }
    const all = instantsOf(recurrence.rule, recurrence.starts, 'UTC', 50)
    for (const behind of all.slice(0, 40)) {
      const due = firstDue(recurrence, `${behind}:00.000Z`)
      expect(due!.at.slice(0, 16)).to.equal(all[all.indexOf(behind) + 1])
    }
  })

  it('says what is wrong with a rule', () => {
    const wrong: Readonly<Record<string, RegExp>> = {
      'INTERVAL=2': /FREQ must be one of/,
      'FREQ=DAILY;FREQ=DAILY': /FREQ stands twice/,
      'FREQ=DAILY;COUNT=2;UNTIL=20260101T000000Z': /exclude each other/,
      'FREQ=DAILY;COUNT=0': /COUNT must be/,
      'FREQ=DAILY;BYDAY=1MO': /BYDAY with a number/,
      'FREQ=MONTHLY;BYDAY=XX': /BYDAY must be weekdays/,
      'FREQ=MONTHLY;BYWEEKNO=3': /BYWEEKNO needs/,
      'FREQ=WEEKLY;BYMONTHDAY=3': /BYMONTHDAY cannot/,
      'RSCALE=GREGORIAN;FREQ=YEARLY': /RSCALE is not supported/,
      'FREQ=DAILY;UNTIL=20260230': /UNTIL must be/,
    }
    for (const [rule, message] of Object.entries(wrong)) expect(parseRule(rule), rule).to.match(message)
  })

  it('names the days that a reading day by day names', () => {
    const days = fc.uniqueArray(fc.constantFrom('MO', 'TU', 'WE', 'TH', 'FR', 'SA', 'SU'), {
      minLength: 1,
      maxLength: 3,
    })
    const months = fc.uniqueArray(fc.integer({ min: 1, max: 12 }), { minLength: 1, maxLength: 3 })
    const monthDays = fc.uniqueArray(
      fc.integer({ min: -31, max: 31 }).filter(day => day !== 0),
      {
        minLength: 1,
        maxLength: 3,
      },
    )
    const maybe = <T>(arbitrary: fc.Arbitrary<T>) => fc.option(arbitrary, { nil: undefined })
    const rules = fc.record({
      frequency: fc.constantFrom('YEARLY', 'MONTHLY', 'WEEKLY', 'DAILY'),
      interval: fc.integer({ min: 1, max: 5 }),
      BYDAY: maybe(days),
      BYMONTH: maybe(months),
      BYMONTHDAY: maybe(monthDays),
      start: fc.integer({ min: 0, max: 3_000 }),
    })
    fc.assert(
      fc.property(rules, drawn => {
        const given = drawn.frequency === 'WEEKLY' ? { ...drawn, BYMONTHDAY: undefined } : drawn
        expect(named(given)).to.deep.equal(readDayByDay(given))
      }),
      { numRuns: 200 },
    )
  })
})

type Drawn = {
  readonly frequency: string
  readonly interval: number
  readonly BYDAY?: readonly string[] | undefined
  readonly BYMONTH?: readonly number[] | undefined
  readonly BYMONTHDAY?: readonly number[] | undefined
  readonly start: number
}

const SPAN_DAYS = 4_000
const DAY_MS = 86_400_000
const START = Date.UTC(2020, 0, 1) / DAY_MS

function named({ frequency, interval, start, ...lists }: Drawn): number[] {
  const given = Object.entries(lists).flatMap(([name, list]) => (list ? [`${name}=${list.join(',')}`] : []))
  const rule = parseRule([`FREQ=${frequency}`, `INTERVAL=${interval}`, ...given].join(';')) as Rule
  const found: number[] = []
  for (const time of occurrences(rule, (START + start) * 86_400)) {
    const day = time / 86_400 - START
    if (day > start + SPAN_DAYS) break
    found.push(day)
  }
  return found
}

/** The naive oracle: every day is looked at by itself, with the calendar of the platform. */
function readDayByDay({ frequency, interval, start, BYDAY, BYMONTH, BYMONTHDAY }: Drawn): number[] {
  const dateOf = (day: number) => new Date((START + day) * DAY_MS)
  const first = dateOf(start)
  const monday = (date: Date) => Math.floor((date.getTime() / DAY_MS + 3) / 7)
  const weekday = (date: Date) => ['SU', 'MO', 'TU', 'WE', 'TH', 'FR', 'SA'][date.getUTCDay()]!
  const found: number[] = []
  for (let day = start; day <= start + SPAN_DAYS; day++) {
    const date = dateOf(day)
    const months = (date.getUTCFullYear() - first.getUTCFullYear()) * 12 + date.getUTCMonth() - first.getUTCMonth()
    const passed: Record<string, number> = {
      YEARLY: date.getUTCFullYear() - first.getUTCFullYear(),
      MONTHLY: months,
      WEEKLY: monday(date) - monday(first),
      DAILY: day - start,
    }
    if (passed[frequency]! % interval !== 0) continue
    const length = new Date(Date.UTC(date.getUTCFullYear(), date.getUTCMonth() + 1, 0)).getUTCDate()
    const isOpen = !BYDAY && !BYMONTHDAY
    const wanted = BYMONTH ?? (frequency === 'YEARLY' && isOpen ? [first.getUTCMonth() + 1] : undefined)
    if (wanted && !wanted.includes(date.getUTCMonth() + 1)) continue
    if (BYDAY && !BYDAY.includes(weekday(date))) continue
    const monthDay = date.getUTCDate()
    if (BYMONTHDAY && !BYMONTHDAY.includes(monthDay) && !BYMONTHDAY.includes(monthDay - length - 1)) continue
    if (isOpen && frequency === 'WEEKLY' && weekday(date) !== weekday(first)) continue
    const hasDay = frequency === 'MONTHLY' || frequency === 'YEARLY'
    if (isOpen && hasDay && monthDay !== first.getUTCDate()) continue
    found.push(day)
  }
  return found
}
