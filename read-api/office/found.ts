/** What answers say of occurrences and tasks. */
import type { ApiRequest } from '../../domain/kernel/route.ts'
import type { EventRow } from '../../domain/office/calendarevent/ics-text.ts'
import { DAY_SECONDS, localText, secondsOf } from '../../domain/time/civil.ts'
import { isZone } from '../../domain/time/zone.ts'
import { invalidParameter, type Queries } from '../parameters.ts'
import type { Expanded, Window } from './expanding.ts'
import type { Row } from './rows.ts'

export const DAYS_MAX = 1_100
const PAIRS_MAX = 1_000

export type EventData = EventRow & {
  readonly calendar: string
  readonly title: string
  readonly kind: string
  readonly status: string
  readonly busy: boolean
}
export type Found = Expanded<EventData>

export const instant = (seconds: number) => `${localText(seconds)}.000Z`

export function windowOf({ from, to, zone = 'UTC' }: Queries): Window {
  const [low, high] = [secondsOf(from!.slice(0, 19))!, secondsOf(to!.slice(0, 19))!]
  if (high <= low || high - low > DAYS_MAX * DAY_SECONDS)
    throw invalidParameter('to', `must lie after from, by ${DAYS_MAX} days at most`)
  if (!isZone(zone)) throw invalidParameter('zone', 'must be a time zone such as Europe/Berlin')
  return { from: low, to: high, zone }
}

export function shown({ event, change, occurrence: which, starts, start, end }: Found, { principal }: ApiRequest) {
  const attendees = (event.attendees ?? []) as readonly { readonly user: string; readonly answer: string }[]
  const answer = attendees.find(({ user }) => user === principal.subject)?.answer
  return {
    event: event.id,
    calendar: event.calendar,
    occurrence: which,
    title: change?.title ?? event.title,
    kind: event.kind,
    status: change?.cancelled ? 'cancelled' : event.status,
    busy: event.busy,
    all_day: starts.length === 10,
    starts_at: instant(start),
    ends_at: instant(end),
    ...(answer && { answer }),
  }
}

export const takesPlace = ({ event, change }: Found) => event.status !== 'cancelled' && !change?.cancelled
export const takesTime = (one: Found) => one.event.busy && takesPlace(one) && one.end > one.start

/** Periods in order, those that touch as one, cut at the ends of the window. */
export function joined(found: readonly Found[], { from, to }: Window): readonly (readonly [number, number])[] {
  const periods: [number, number][] = []
  for (const { start, end } of found) {
    const [low, high] = [Math.max(start, from), Math.min(end, to)]
    const last = periods.at(-1)
    if (last && low <= last[1]) last[1] = Math.max(last[1], high)
    else periods.push([low, high])
  }
  return periods
}

/** Pairs that overlap, of occurrences in the order of their starts. */
export function conflictsIn(found: readonly Found[]): readonly (readonly [Found, Found])[] {
  const pairs: [Found, Found][] = []
  let open: Found[] = []
  for (const one of found) {
    open = open.filter(({ end }) => end > one.start)
    for (const other of open) pairs.push([other, one])
    if (pairs.length > PAIRS_MAX)
      throw invalidParameter('to', `must be nearer to from: there are more than ${PAIRS_MAX} conflicts`)
    open.push(one)
  }
  return pairs
}

export const concerns = ({ owner, attendees = [] }: EventData, user: string) =>
  owner === user ||
  (attendees as readonly { readonly user: string; readonly answer: string }[]).some(
    each => each.user === user && each.answer !== 'declined',
  )

export const scheduled = ({ event, change, starts, start, end }: Found) => ({
  kind: event.kind,
  category: 'calendarevent' as const,
  id: event.id,
  title: change?.title ?? event.title,
  starts_at: instant(start),
  ends_at: instant(end),
  all_day: starts.length === 10,
})

export const ofTask = ({ id: name, name: title, due_on: day }: Row) => ({
  kind: 'task',
  category: 'task' as const,
  id: name,
  title: title as string,
  starts_at: `${day}T00:00:00.000Z`,
  ends_at: instant(secondsOf(`${day}T00:00:00`)! + DAY_SECONDS),
  all_day: true,
})
