/** The periods of a budget, as days of the calendar. */
import { dateOf, dayOf, weekdayOf } from '../../time/civil.ts'

export const PERIODS = ['week', 'month', 'quarter', 'year', 'once'] as const
export type Period = (typeof PERIODS)[number]

/** The bounds of a budget, each a day; open where they are `undefined`. */
export type Bounds = { readonly starts_on?: string | undefined; readonly ends_on?: string | undefined }
/** First and last day of a period. */
export type Span = { readonly from: string; readonly to: string }

const FIRST_DAY = '0001-01-01'
const LAST_DAY = '9999-12-31'

/** The period that a day lies in, cut at the bounds of the budget. Weeks begin on Monday. */
function periodAt(day: string, period: Period, { starts_on = FIRST_DAY, ends_on = LAST_DAY }: Bounds): Span {
  const { from, to } = wholeAt(day, period)
  return { from: from < starts_on ? starts_on : from, to: to > ends_on ? ends_on : to }
}

/** The periods that days from one to another lie in, in order, as far as the budget counts then. */
export function periodsIn({ from, to }: Span, period: Period, bounds: Bounds): readonly Span[] {
  const { starts_on = FIRST_DAY, ends_on = LAST_DAY } = bounds
  const last = to < ends_on ? to : ends_on
  const spans: Span[] = []
  for (let day = from > starts_on ? from : starts_on; day <= last; day = dayAfter(spans.at(-1)!.to)) {
    spans.push(periodAt(day, period, bounds))
    if (spans.at(-1)!.to >= LAST_DAY) break
  }
  return spans
}

function wholeAt(day: string, period: Period): Span {
  const [year, month, date] = day.split('-').map(Number) as [number, number, number]
  if (period === 'once') return { from: FIRST_DAY, to: LAST_DAY }
  if (period === 'week') {
    const days = dayOf(year, month, date)
    const monday = days - weekdayOf(days)
    return { from: textOf(monday), to: textOf(monday + 6) }
  }
  const months = period === 'year' ? 12 : period === 'quarter' ? 3 : 1
  const first = month - ((month - 1) % months)
  return { from: textOf(dayOf(year, first, 1)), to: textOf(dayOf(year, first + months, 1) - 1) }
}

function dayAfter(day: string): string {
  const [year, month, date] = day.split('-').map(Number) as [number, number, number]
  return textOf(dayOf(year, month, date) + 1)
}

/** A day as text, within the calendar of four-digit years. */
function textOf(days: number): string {
  const { year, month, day } = dateOf(days)
  if (year < 1) return FIRST_DAY
  if (year > 9999) return LAST_DAY
  return [String(year).padStart(4, '0'), ...[month, day].map(part => String(part).padStart(2, '0'))].join('-')
}
