/** The components of an iCalendar file, and the times in them. */
import type { ContentLine, LineFault } from '../../record/content-line.ts'
import { DAY_SECONDS, localText, secondsOf } from '../../time/civil.ts'
import { offsetAt } from '../../time/zone.ts'
import { instantAt } from './expand.ts'
import { type Observance, observanceOf, zoneNamed } from './zones.ts'

export type Component = {
  readonly name: string
  readonly line: number
  readonly lines: ContentLine[]
  readonly parts: Component[]
}
export type Zones = ReadonlyMap<string, readonly Observance[]>
type Time = { readonly text: string; readonly zone?: string | undefined }

export class Fault extends Error {
  readonly line: number
  constructor(line: number, message: string) {
    super(message)
    this.line = line
  }
}

export function componentsOf(lines: readonly ContentLine[], faults: LineFault[]): readonly Component[] {
  const roots: Component[] = []
  const open: Component[] = []
  for (const line of lines) {
    const name = line.value.trim().toUpperCase()
    const inner = open.at(-1)
    if (line.name === 'BEGIN') {
      const begun: Component = { name, line: line.line, lines: [], parts: [] }
      ;(inner?.parts ?? roots).push(begun)
      open.push(begun)
    } else if (line.name === 'END') {
      if (inner?.name === name) open.pop()
      else faults.push({ line: line.line, message: `END:${name} ends nothing that is open` })
    } else if (inner) inner.lines.push(line)
    else faults.push({ line: line.line, message: `${line.name} stands outside of a component` })
  }
  for (const { name, line } of open) faults.push({ line, message: `BEGIN:${name} has no END:${name}` })
  return roots
}

export const propertyOf = ({ lines }: Component, name: string) => lines.find(line => line.name === name)?.value

/** Onsets of definitions are looked at up to the year 2100. */
const ONSETS_UNTIL = 4_102_444_800

export function zonesOf({ parts }: Component, faults: LineFault[]): Zones {
  const zones = parts.filter(({ name }) => name === 'VTIMEZONE')
  const observed = (part: Component) => {
    const found = observanceOf(part.lines, ONSETS_UNTIL)
    if (!found) faults.push({ line: part.line, message: `${part.name} has no DTSTART or offsets that can be read` })
    return found ?? []
  }
  return new Map(
    zones.map(zone => [
      propertyOf(zone, 'TZID') ?? '',
      zone.parts.filter(({ name }) => name === 'STANDARD' || name === 'DAYLIGHT').flatMap(observed),
    ]),
  )
}

export const asText = (local: number, like: string) => localText(local).slice(0, like.length === 10 ? 10 : 19)

/** A time by the clock of the series. */
export function inZone({ text, zone }: Time, wanted: string | undefined, like: string): string {
  if (text.length === 10 || like.length === 10) return like.length === 10 ? text.slice(0, 10) : `${text}T00:00:00`
  if (zone === wanted || zone === undefined) return text
  const instant = instantAt(text, zone)
  return wanted === undefined ? text : asText(instant + offsetAt(wanted, instant), like)
}

export function timeOf({ line, name, params }: ContentLine, value: string, zones: Zones): Time {
  const [, day, time, utc] = /^(\d{8})(?:T(\d{6})(Z?))?$/i.exec(value.trim()) ?? []
  const date = day?.replace(/^(....)(..)(..)$/, '$1-$2-$3')
  const text =
    time === undefined ? date : `${date}T${time.replace(/^(..)(..)(..)$/, '$1:$2:$3').replace(/:60$/, ':59')}`
  if (text === undefined || secondsOf(text.length === 10 ? `${text}T00:00:00` : text) === undefined || text < '0001') {
    throw new Fault(line, `${name} is no date and no time: ${JSON.stringify(value.slice(0, 40))}`)
  }
  if (time === undefined) return { text }
  if (utc) return { text, zone: 'UTC' }
  const tzid = params.TZID?.[0]
  if (tzid === undefined) return { text }
  const zone = zoneNamed(tzid, zones.get(tzid), Number(day!.slice(0, 4)))
  return { text, zone }
}

const DURATION = /^([+-])?P(?:(\d+)W)?(?:(\d+)D)?(?:T(?:(\d+)H)?(?:(\d+)M)?(?:(\d+)S)?)?$/i

export function durationOf({ line, value }: ContentLine): number {
  const [, sign, ...parts] = DURATION.exec(value.trim()) ?? []
  const [w = 0, d = 0, h = 0, m = 0, s = 0] = parts.map(part => Number(part ?? 0))
  const seconds = (w * 7 + d) * DAY_SECONDS + h * 3_600 + m * 60 + s
  if (parts.length > 0 && /\d/.test(value) && sign !== '-' && seconds <= 36_600 * DAY_SECONDS) return seconds
  throw new Fault(line, `DURATION is none: ${JSON.stringify(value.slice(0, 40))}`)
}
