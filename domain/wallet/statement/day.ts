/** Days as statements write them. */
import { dayOf, daysInMonth } from '../../time/civil.ts'

/** `YYYY-MM-DD` of a day that the calendar has, `undefined` otherwise. */
export function dayText(year: number, month: number, day: number): string | undefined {
  if (year < 1 || month < 1 || month > 12 || day < 1 || day > daysInMonth(year, month)) return undefined
  return `${String(year).padStart(4, '0')}-${two(month)}-${two(day)}`
}

const two = (value: number) => String(value).padStart(2, '0')

/** Days since 1970-01-01 of `YYYY-MM-DD`. */
export const dayNumber = (date: string): number =>
  dayOf(Number(date.slice(0, 4)), Number(date.slice(5, 7)), Number(date.slice(8, 10)))

/** `20260131` and what may follow it, as OFX writes instants: the day in the bank's own zone. */
export function compactDay(text: string): string | undefined {
  const [, year, month, day] = /^(\d{4})(\d{2})(\d{2})(\d{2}(\d{2}(\d{2}(\.\d+)?)?)?)?(\[.*\])?$/.exec(text) ?? []
  return year === undefined ? undefined : dayText(Number(year), Number(month), Number(day))
}

/** `2026-01-31`, or an instant of that day, as XML Schema writes them: the day that stands there. */
export function isoDay(text: string): string | undefined {
  const [, year, month, day] = /^(\d{4})-(\d{2})-(\d{2})(?:T\S*|Z|[+-]\d{2}:\d{2})?$/.exec(text) ?? []
  return year === undefined ? undefined : dayText(Number(year), Number(month), Number(day))
}
