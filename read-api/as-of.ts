import { z } from 'zod'
import type { ApiRequest } from '../domain/kernel/route.ts'
import { auditLog } from '../projections/audit-log.ts'
import { positionAt } from '../projections/history.ts'
import { checkpointsSql, type ReadStore, read, type Token, tokenOf, type Wanted } from './consistency.ts'
import { pinOf } from './cursor.ts'
import { inQuery, invalidParameter, isPosition, type Queries, WAIT_MS_DEFAULT } from './parameters.ts'

const POSITION_OR_TIME =
  /^([0-9]{1,19}|[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}(\.[0-9]{1,9})?(Z|[+-][0-9]{2}:[0-9]{2}))$/
const FORM = 'must be a position below 2^63 or an RFC 3339 timestamp (in a URL, `+` is `%2B`)'

/** What every read of rows with a history takes. */
export const asOfParameter = inQuery(
  'as_of',
  z
    .string()
    .regex(POSITION_OR_TIME, FORM)
    .refine(text => isPosition(text) || instantOf(text) !== undefined, FORM),
  'answer as it was known then: a position, or a timestamp, which means the last position before anything later; ' +
    '`meta.as_of` names the position, and asking for that is the repeatable question',
)

/** Codes that a read can answer for its `as_of`: where rows have a history, and where they have none. */
export const asOfErrors = { 400: ['as_of_beyond_head'] } as const
export const noHistoryErrors = { 400: ['no_history'] } as const

/**
 * How new an answer must be and as of when it is asked for. Only a timestamp costs a read of its own, and only on the
 * first page: the cursor keeps the position, so that all pages are of one moment.
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
  const statement = {
    of: [auditLog],
    text: `select c.position, c.stalled, ${positionAt('$2', '$3')} from ${checkpointsSql([auditLog])}`,
    values: [request.principal.org, instantOf(asked)],
  }
  const { rows } = await read(store, request, statement, { token })
  const position = BigInt(rows[0]![2] as string)
  return { token: atLeastAt(position, token, query), asOf: { asked, position } }
}

/** A position that the log of events has reached is waited for in the read models that lag behind it. */
function atLeastAt(position: bigint, token: Token | undefined, { wait }: Queries): Token {
  if (token !== undefined && token.position >= position) return token
  return { position, waitMs: wait === undefined ? WAIT_MS_DEFAULT : Number(wait) }
}

/** The instant in the form of the log (UTC, milliseconds), rounded down; `undefined` for one that no clock shows. */
function instantOf(text: string): string | undefined {
  if (!z.iso.datetime({ offset: true }).safeParse(text).success) return undefined
  const instant = new Date(text.replace(/(\.[0-9]{3})[0-9]+/, '$1'))
  const iso = Number.isNaN(instant.getTime()) ? '' : instant.toISOString()
  return /^[0-9]{4}-/.test(iso) ? iso : undefined
}
