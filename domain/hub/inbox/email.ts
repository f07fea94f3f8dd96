/** E-mail addresses and digests of notifications. */
import { type Due, firstDue } from '../../time/due.ts'

/** The days on which a weekly digest comes, as RFC 5545 names them. */
export const WEEKDAYS = ['MO', 'TU', 'WE', 'TH', 'FR', 'SA', 'SU'] as const

/** When a digest comes: every day, or one day of the week, at an hour of a zone. */
export type Digest = {
  readonly every: 'day' | 'week'
  readonly weekday?: (typeof WEEKDAYS)[number] | undefined
  readonly hour: number
  readonly zone: string
}

/** Names without quotes, and domains, as programs for mail write them (RFC 5321, 4.1.2). */
const ADDRESS = /^[^\s@<>()[\],;:\\"\p{Cc}]{1,64}@(?=.{1,253}$)[\p{L}\p{N}](?:[\p{L}\p{N}.-]*[\p{L}\p{N}])?$/u

export const isAddress = (text: string): boolean => ADDRESS.test(text) && !text.includes('..')

/** The first time of a digest behind an instant (`timestamp`). An hour that clocks leave out is left out. */
export function nextDigest({ every, weekday = 'MO', hour, zone }: Digest, behind: string): string {
  const rule = every === 'day' ? 'FREQ=DAILY' : `FREQ=WEEKLY;BYDAY=${weekday}`
  const starts = `2000-01-01T${String(hour).padStart(2, '0')}:00:00`
  return (firstDue({ rule, starts, zone }, behind) as Due).at
}
