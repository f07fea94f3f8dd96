/** Local times of a zone as instants, by the zone data of the platform. */
import { localText, secondsOf } from './civil.ts'

const formats = new Map<string, Intl.DateTimeFormat>()

/** Whether the platform knows a zone of this name (IANA): `Europe/Berlin`. */
export function isZone(zone: string): boolean {
  try {
    formatOf(zone)
    return true
  } catch {
    return false
  }
}

/** The offset from UTC in a zone at an instant, in seconds. */
export function offsetAt(zone: string, instant: number): number {
  const parts = formatOf(zone).formatToParts(instant * 1_000)
  const name = parts.find(({ type }) => type === 'timeZoneName')?.value ?? 'GMT'
  const [, sign, hours = '0', minutes = '0', seconds = '0'] =
    /^GMT(?:([+-])(\d\d):(\d\d)(?::(\d\d))?)?$/.exec(name) ?? []
  const size = Number(hours) * 3_600 + Number(minutes) * 60 + Number(seconds)
  return sign === '-' ? -size : size
}

/** The day of an instant (`timestamp`) in a zone. */
export function dayIn(zone: string, at: string): string {
  const instant = secondsOf(at.slice(0, 19))!
  return localText(instant + offsetAt(zone, instant)).slice(0, 10)
}

/**
 * The instant of a local time, in seconds since 1970. A time that comes twice is the first of the two (RFC 5545,
 * 3.3.5); one that does not come, because clocks go forward, is `undefined`.
 */
export function instantOf(zone: string, local: number): number | undefined {
  const around = [offsetAt(zone, local - 86_400), offsetAt(zone, local + 86_400)]
  const found = around.map(offset => local - offset).filter(instant => instant + offsetAt(zone, instant) === local)
  return found.length === 0 ? undefined : Math.min(...found)
}

function formatOf(zone: string): Intl.DateTimeFormat {
  const known = formats.get(zone)
  if (known) return known
  const made = new Intl.DateTimeFormat('en-US', { timeZone: zone, timeZoneName: 'longOffset', calendar: 'gregory' })
  formats.set(zone, made)
  return made
}
