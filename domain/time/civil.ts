/** Days and seconds of the local calendar, as whole numbers: proleptic Gregorian, no zone. */

export const DAY_SECONDS = 86_400

/** Days since 1970-01-01 of a date; months and days beyond their range count on. */
export function dayOf(year: number, month: number, day: number): number {
  const [y, m] = [year + Math.floor((month - 1) / 12), ((((month - 1) % 12) + 12) % 12) + 1]
  const shifted = m > 2 ? y : y - 1
  const era = Math.floor(shifted / 400)
  const yearOfEra = shifted - era * 400
  const dayOfYear = Math.floor((153 * (m + (m > 2 ? -3 : 9)) + 2) / 5)
  return (
    era * 146_097 +
    yearOfEra * 365 +
    Math.floor(yearOfEra / 4) -
    Math.floor(yearOfEra / 100) +
    dayOfYear -
    719_468 +
    day -
    1
  )
}

/** The date of a day since 1970-01-01. */
export function dateOf(days: number): { readonly year: number; readonly month: number; readonly day: number } {
  const z = days + 719_468
  const era = Math.floor(z / 146_097)
  const ofEra = z - era * 146_097
  const yearOfEra = Math.floor(
    (ofEra - Math.floor(ofEra / 1_460) + Math.floor(ofEra / 36_524) - Math.floor(ofEra / 146_096)) / 365,
  )
  const ofYear = ofEra - (365 * yearOfEra + Math.floor(yearOfEra / 4) - Math.floor(yearOfEra / 100))
  const shifted = Math.floor((5 * ofYear + 2) / 153)
  const month = shifted < 10 ? shifted + 3 : shifted - 9
  return {
    year: yearOfEra + era * 400 + (month <= 2 ? 1 : 0),
    month,
    day: ofYear - Math.floor((153 * shifted + 2) / 5) + 1,
  }
}

/** 0 for Monday to 6 for Sunday. */
export const weekdayOf = (days: number): number => (((days + 3) % 7) + 7) % 7

export const daysInYear = (year: number): number => dayOf(year + 1, 1, 1) - dayOf(year, 1, 1)
export const daysInMonth = (year: number, month: number): number => dayOf(year, month + 1, 1) - dayOf(year, month, 1)

/** The week of a day, and how many its year has: the first week is the first with four days in the year (ISO 8601). */
export function weekOf(days: number, weekStart: number): { readonly week: number; readonly weeks: number } {
  const monday = days - ((weekdayOf(days) - weekStart + 7) % 7)
  const { year } = dateOf(monday + 3)
  const first = firstWeek(year, weekStart)
  return { week: (monday - first) / 7 + 1, weeks: (firstWeek(year + 1, weekStart) - first) / 7 }
}

function firstWeek(year: number, weekStart: number): number {
  const fourth = dayOf(year, 1, 4)
  return fourth - ((weekdayOf(fourth) - weekStart + 7) % 7)
}

const LOCAL = /^(\d{4})-(\d{2})-(\d{2})T(\d{2}):(\d{2}):(\d{2})$/

/** Seconds since 1970-01-01T00:00:00 of a local time, `undefined` where the text names none. */
export function secondsOf(text: string): number | undefined {
  const parts = LOCAL.exec(text)?.slice(1).map(Number)
  if (!parts) return undefined
  const [year, month, day, hour, minute, second] = parts as [number, number, number, number, number, number]
  if (month < 1 || month > 12 || day < 1 || day > daysInMonth(year, month)) return undefined
  if (hour > 23 || minute > 59 || second > 59) return undefined
  return dayOf(year, month, day) * DAY_SECONDS + hour * 3_600 + minute * 60 + second
}

/** The local time as text: `2026-01-31T09:00:00`. */
export function localText(seconds: number): string {
  const days = Math.floor(seconds / DAY_SECONDS)
  const { year, month, day } = dateOf(days)
  const rest = seconds - days * DAY_SECONDS
  const two = (value: number) => String(value).padStart(2, '0')
  const time = [Math.floor(rest / 3_600), Math.floor(rest / 60) % 60, rest % 60].map(two).join(':')
  return `${String(year).padStart(4, '0')}-${two(month)}-${two(day)}T${time}`
}

/** The instant (`timestamp`) so many seconds after another one. */
export const laterBy = (seconds: number, at: string): string =>
  localText(secondsOf(at.slice(0, 19))! + seconds) + at.slice(19)

/** The day (`YYYY-MM-DD`) so many days after one; before it, where the number is negative. */
export const daysAfter = (day: string, days: number): string =>
  laterBy(days * DAY_SECONDS, `${day}T00:00:00.000Z`).slice(0, 10)
