import { z } from 'zod'
import { KogiError } from '../domain/kernel/errors.ts'
import type { ApiRequest } from '../domain/kernel/route.ts'
import { auditLog } from '../projections/audit/audit-log.ts'
import { positionAt } from '../projections/audit/times.ts'
import {
  checkpointsSql,
  type ReadStore,
  read,
  standsStill,
  type Token,
  tokenOf,
  until,
  type Wanted,
} from './consistency.ts'
import { pinOf } from './cursor.ts'
import { inQuery, invalidParameter, isPosition, type Queries, waitOf } from './parameters.ts'

const POSITION_OR_TIME =
  /^([0-9]{1,19}|[0-9]{4}-[0-9]{2}-[0-9]{2}[Tt][0-9]{2}:[0-9]{2}:[0-9]{2}(\.[0-9]+)?([Zz]|[+-][0-9]{2}:[0-9]{2}))$/
const FORM =
  'must be a position below 2^63 or an RFC 3339 timestamp that exists, as 2026-01-31T09:30:00Z or ' +
  '2026-01-31T10:30:00.250+01:00 (in a URL, `+` is `%2B`)'

/** The parameter of every read whose rows have a history. */
export const asOfParameter = inQuery(
  'as_of',
  z
    .string()
    .regex(POSITION_OR_TIME, FORM)
    .refine(text => isPosition(text) || instantOf(text) !== undefined, FORM),
  'answer as it was known then: a position, or a timestamp, which means the last position before anything later and ' +
    'is waited for until all of it is known; `meta.as_of` names the position, and asking for that is the repeatable ' +
    'question',
)

/** The 60th second of a minute, with its fraction. */
const LEAP_SECOND = /(?<=T[0-9]{2}:[0-9]{2}:)60(\.[0-9]+)?/

/** A position that no log reaches: a wait for a time ends by its regular checks, not by a checkpoint. */
const NO_POSITION = 2n ** 63n

/** Error codes of `as_of`, for rows with a history and for rows without one. */
export const asOfErrors = { 400: ['as_of_beyond_head'] } as const
export const noHistoryErrors = { 400: ['no_history'] } as const

/**
 * The position that an answer must have reached, and the position that it is of. Only a timestamp costs a read of its
 * own, and only on the first page: the cursor keeps the position, so that all pages are of one moment.
 */
export async function wantedOf(store: ReadStore, request: ApiRequest, query: Queries): Promise<Wanted> {
  const token = tokenOf(request, query)
  const asked = query.as_of
  if (asked === undefined) return { token }
  const pin = query.after === undefined ? undefined : pinOf(query.after)
  if (pin && (asked === pin.asked || (isPosition(asked) && BigInt(asked) === pin.position))) {
    return { token, asOf: { asked, position: pin.position } }
  }
  if (query.after !== undefined) throw invalidParameter('after', 'must be the `next` of a page of the same `as_of`')
  if (isPosition(asked)) return { token, asOf: { asked, position: BigInt(asked) } }
  const position = await positionOf(store, request, query, { asked, instant: instantOf(asked)!, token })
  return { token: atLeastAt(position, token, query), asOf: { asked, position } }
}

/**
 * The position that a timestamp means. It waits until all events up to that time are known. Throws `not_yet_visible`
 * when the wait is over, and `as_of_beyond_head` for a time that is still to come.
 */
async function positionOf(
  store: ReadStore,
  request: ApiRequest,
  query: Queries,
  { asked, instant, token }: { asked: string; instant: string; token: Token | undefined },
): Promise<bigint> {
  const waitMs = waitOf(query)
  const { org } = request.principal
  const text = `select c.position, c.stalled, a.position, a.settled, a.known
    from ${checkpointsSql([auditLog])} cross join lateral ${positionAt('$2', '$3', 'c.position', '$4')} a`
  // A settled position stays settled while the audit log is stalled.
  const wanted = { token, asOf: { asked, position: 0n } }
  const attempt = async () => {
    const values = [org, instant, await store.moments.before(org, instant)]
    const { rows } = await read(store, request, { of: [auditLog], text, values }, wanted)
    const [reached, stalled, position, settled, known] = rows[0]!
    if (settled !== true && stalled === true) throw standsStill(reached as string)
    return { position: BigInt(position as string), settled: settled === true, known: known as string | null }
  }
  const ahead = Date.parse(instant) - Date.now()
  const wait = {
    waitMs: ahead > waitMs ? 0 : waitMs,
    position: NO_POSITION,
    signal: store.signal,
    request,
  }
  const found = await until(wait, attempt, it => it.settled)
  if (found.settled) return found.position
  throw Date.parse(instant) > Date.now() ? beyondNow(asked, found.known) : notYetKnown(asked, found.known)
}

const beyondNow = (asked: string, known: string | null) =>
  new KogiError('as_of_beyond_head', `The time ${asked} is still to come.`, details(asked, known))

const notYetKnown = (asked: string, known: string | null) =>
  new KogiError('not_yet_visible', `Not everything up to ${asked} is known yet; try again.`, details(asked, known))

const details = (asked: string, known: string | null) => [
  { field: 'as_of', message: asked },
  { field: 'known_until', message: known ?? 'nothing is known yet' },
]

/** The token that makes a read wait for the read models that lag behind the position of a timestamp. */
function atLeastAt(position: bigint, token: Token | undefined, query: Queries): Token {
  if (token !== undefined && token.position >= position) return token
  return { position, waitMs: waitOf(query) }
}

/**
 * The instant in the form of the log (UTC, milliseconds), rounded down; `undefined` for a time that does not exist. A
 * leap second, which ends a month in UTC (RFC 3339 section 5.7), counts as the last millisecond before it.
 */
export function instantOf(text: string): string | undefined {
  const upper = text.toUpperCase()
  const time = upper.replace(LEAP_SECOND, '59.999')
  if (!z.iso.datetime({ offset: true }).safeParse(time).success) return undefined
  const instant = new Date(time.replace(/(\.[0-9]{3})[0-9]+/, '$1'))
  const iso = Number.isNaN(instant.getTime()) ? '' : instant.toISOString()
  if (!/^[0-9]{4}-/.test(iso)) return undefined
  const next = new Date(instant.getTime() + 1).toISOString()
  return time === upper || next.endsWith('-01T00:00:00.000Z') ? iso : undefined
}
