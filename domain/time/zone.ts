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

/** Since 1973 clocks everywhere are set at a quarter of an hour: one look for each is enough. */
const QUARTER = 900
const QUARTERS_SINCE = 94_694_400
/** Quarters of an hour that are remembered, of all zones together. */
const KNOWN_MAX = 200_000
const offsets = new Map<string, Map<number, number>>()
let known = 0

/** The offset from UTC in a zone at an instant, in seconds. */
export function offsetAt(zone: string, instant: number): number {
  if (instant < QUARTERS_SINCE) return lookedUp(zone, instant)
  const quarter = Math.floor(instant / QUARTER)
  const found = offsets.get(zone)?.get(quarter)
  if (found !== undefined) return found
  if (known >= KNOWN_MAX) {
    offsets.clear()
    known = 0
  }
  const offset = lookedUp(zone, instant)
  const own = offsets.get(zone) ?? new Map<number, number>()
  offsets.set(zone, own.set(quarter, offset))
  known += 1
  return offset
}

function lookedUp(zone: string, instant: number): number {
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
  const [before, after] = [offsetAt(zone, local - 86_400), offsetAt(zone, local + 86_400)]
  // No change of the clocks is near.
  if (before === after && offsetAt(zone, local - before) === before) return local - before
  const around = [before, after]
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
