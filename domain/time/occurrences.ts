/** The local times that a rule names, in order, with a bound on the work. */
import { DAY_SECONDS, dateOf, dayOf, daysInMonth, daysInYear, weekdayOf, weekOf } from './civil.ts'
import type { NthDay, Rule } from './rule.ts'

/** Periods and days looked at without finding a time: a rule that needs more counts as one that names no more. */
const STEPS_MAX = 400 * 366

const SECONDS = { HOURLY: 3_600, MINUTELY: 60, SECONDLY: 1 } as const
type SubDaily = keyof typeof SECONDS

/** A rule with what it takes from its start. */
type Whole = Rule & {
  readonly hours: readonly number[]
  readonly minutes: readonly number[]
  readonly seconds: readonly number[]
}

/**
 * The times of a rule from its start on, in seconds of local time; those before `from` may be left out. `UNTIL` and
 * `COUNT` are not looked at.
 */
export function* occurrences(rule: Rule, start: number, from = start): Generator<number> {
  const whole = completed(rule, start)
  let steps = 0
  let last = Number.NEGATIVE_INFINITY
  for (const times of periods(whole, start, Math.max(start, from))) {
    steps += times.steps
    for (const time of chosen(times.found, rule.bySetPosition)) {
      if (time < start || time <= last) continue
      steps = 0
      last = time
      yield time
    }
    if (steps > STEPS_MAX) return
  }
}

/** What the rule leaves open falls on the time, the weekday, the day and the month of the start. */
function completed(rule: Rule, start: number): Whole {
  const days = Math.floor(start / DAY_SECONDS)
  const rest = start - days * DAY_SECONDS
  const { month, day } = dateOf(days)
  const { frequency, byDay, byMonth, byMonthDay, byYearDay, byWeek } = rule
  const time = {
    hours: sorted(rule.byHour ?? [Math.floor(rest / 3_600)]),
    minutes: sorted(rule.byMinute ?? [Math.floor(rest / 60) % 60]),
    seconds: sorted(rule.bySecond ?? [rest % 60]),
  }
  if (byDay || byMonthDay || byYearDay) return { ...rule, ...time }
  if (byWeek || frequency === 'WEEKLY') return { ...rule, ...time, byDay: [{ weekday: weekdayOf(days) }] }
  if (frequency === 'MONTHLY') return { ...rule, ...time, byMonthDay: [day] }
  if (frequency === 'YEARLY') return { ...rule, ...time, byMonth: byMonth ?? [month], byMonthDay: [day] }
  return { ...rule, ...time }
}

type Period = { readonly steps: number; readonly found: readonly number[] }

/** The times of each period of a rule, beginning with the period of `from`. */
function* periods(rule: Whole, start: number, from: number): Generator<Period> {
  if (rule.frequency in SECONDS) yield* shortPeriods(rule, start, from)
  else yield* longPeriods(rule, start, from)
}

function* longPeriods(rule: Whole, start: number, from: number): Generator<Period> {
  const { frequency, interval, weekStart } = rule
  const [first, begin] = [Math.floor(start / DAY_SECONDS), Math.floor(from / DAY_SECONDS)]
  const { year, month } = dateOf(first)
  const at = dateOf(begin)
  const week = first - ((weekdayOf(first) - weekStart + 7) % 7)
  const units = {
    YEARLY: { passed: at.year - year, days: (n: number) => [dayOf(year + n, 1, 1), dayOf(year + n + 1, 1, 1)] },
    MONTHLY: {
      passed: (at.year - year) * 12 + at.month - month,
      days: (n: number) => [dayOf(year, month + n, 1), dayOf(year, month + n + 1, 1)],
    },
    WEEKLY: { passed: Math.floor((begin - week) / 7), days: (n: number) => [week + n * 7, week + n * 7 + 7] },
    DAILY: { passed: begin - first, days: (n: number) => [first + n, first + n + 1] },
  }
  const { passed, days } = units[frequency as keyof typeof units]
  for (let n = Math.floor(passed / interval) * interval; ; n += interval) {
    const [low, high] = days(n) as [number, number]
    const found: number[] = []
    let steps = 0
    for (const [first, end] of spansOf(rule, low, high)) {
      steps += end - first
      for (let day = first; day < end; day += 1) {
        if (!isDay(rule, day)) continue
        for (const hour of rule.hours)
          for (const minute of rule.minutes)
            for (const second of rule.seconds) found.push(day * DAY_SECONDS + hour * 3_600 + minute * 60 + second)
      }
    }
    yield { steps, found }
  }
}

/** The days of a period, from each first one to before the end; of a year whose rule names months, those of these. */
function spansOf({ frequency, byMonth }: Rule, low: number, high: number): readonly (readonly [number, number])[] {
  if (frequency !== 'YEARLY' || !byMonth) return [[low, high]]
  const { year } = dateOf(low)
  return sorted(byMonth).map(month => [dayOf(year, month, 1), dayOf(year, month + 1, 1)] as const)
}

/** Periods of hours, minutes or seconds; days and hours that the rule leaves out are passed at once. */
function* shortPeriods(rule: Whole, start: number, from: number): Generator<Period> {
  const { frequency, interval, byHour, byMinute, bySecond } = rule
  const unit = SECONDS[frequency as SubDaily]
  const origin = Math.floor(start / unit)
  const aligned = (at: number) => origin + Math.ceil((at - origin) / interval) * interval
  const perHour = 3_600 / unit
  let known = { day: Number.NaN, isNamed: false }
  for (let at = aligned(Math.max(origin, Math.floor(from / unit) - interval)); ; ) {
    const time = at * unit
    const day = Math.floor(time / DAY_SECONDS)
    if (day !== known.day) known = { day, isNamed: isDay(rule, day) }
    const hour = Math.floor((time - day * DAY_SECONDS) / 3_600)
    const minute = Math.floor(time / 60) % 60
    if (!known.isNamed) at = aligned(((day + 1) * DAY_SECONDS) / unit)
    else if (byHour && !byHour.includes(hour)) at = aligned((Math.floor(at / perHour) + 1) * perHour)
    else if (unit < 3_600 && byMinute && !byMinute.includes(minute))
      at = aligned(((Math.floor(time / 60) + 1) * 60) / unit)
    else {
      const seconds = unit === 1 ? [0] : rule.seconds
      const minutes = unit === 3_600 ? rule.minutes : [0]
      const isNamed = unit > 1 || !bySecond || bySecond.includes(((time % 60) + 60) % 60)
      const found = isNamed ? minutes.flatMap(m => seconds.map(s => time + m * 60 + s)) : []
      yield { steps: 1, found }
      at += interval
      continue
    }
    yield { steps: 1, found: [] }
  }
}

/** Whether the rule names the day, as far as days are concerned. */
function isDay(rule: Rule, days: number): boolean {
  const { byMonth, byMonthDay, byYearDay, byWeek, byDay } = rule
  const { year, month, day } = dateOf(days)
  if (byMonth && !byMonth.includes(month)) return false
  const length = daysInMonth(year, month)
  if (byMonthDay && !byMonthDay.includes(day) && !byMonthDay.includes(day - length - 1)) return false
  const ofYear = days - dayOf(year, 1, 1) + 1
  if (byYearDay && !byYearDay.includes(ofYear) && !byYearDay.includes(ofYear - daysInYear(year) - 1)) return false
  if (byWeek) {
    const { week, weeks } = weekOf(days, rule.weekStart)
    if (!byWeek.includes(week) && !byWeek.includes(week - weeks - 1)) return false
  }
  if (!byDay) return true
  const inMonth = rule.frequency === 'MONTHLY' || byMonth !== undefined
  const [nth, size] = inMonth ? [day, length] : [ofYear, daysInYear(year)]
  return byDay.some(wanted => isNth(wanted, { weekday: weekdayOf(days), nth, size }))
}

type Place = { readonly weekday: number; readonly nth: number; readonly size: number }

/** Whether a day is the n-th of its weekday, from the front or, where n is below zero, from the back. */
function isNth({ weekday, nth }: NthDay, place: Place): boolean {
  if (weekday !== place.weekday) return false
  if (nth === undefined) return true
  return nth > 0 ? Math.floor((place.nth - 1) / 7) + 1 === nth : -(Math.floor((place.size - place.nth) / 7) + 1) === nth
}

function chosen(times: readonly number[], positions: readonly number[] | undefined): readonly number[] {
  if (!positions) return times
  const picked = positions.flatMap(position => times.at(position > 0 ? position - 1 : position) ?? [])
  return sorted([...new Set(picked)])
}

const sorted = (numbers: readonly number[]): readonly number[] => numbers.toSorted((a, b) => a - b)
