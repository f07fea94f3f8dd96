import type { QueryConfig } from 'pg'
import { KogiError } from '../domain/kernel/errors.ts'
import type { ApiRequest } from '../domain/kernel/route.ts'
import { auditLog } from '../projections/audit/audit-log.ts'
import { CHECKPOINTS } from '../projections/ownership/tables.ts'
import { bucketOf } from '../projections/rows/bucket.ts'
import type { AnyProjection } from '../projections/rows/projection.ts'
import type { CheckpointSignal } from './checkpoint-signal.ts'
import type { Moments } from './moments.ts'
import { invalidParameter, isPosition, POSITION_FORM, type Queries, waitOf } from './parameters.ts'
import type { ReadPool, RowsQuery } from './pool.ts'
import { type Guards, granteesOf } from './readers.ts'
import type { Statement } from './statement.ts'
import type { Versions } from './versions.ts'

export type { Statement } from './statement.ts'

/** A request as far as it waits. */
type Patient = Pick<ApiRequest, 'signal' | 'aside'>

/** Rows of one SQL statement, in array form, with the position that they are read at. */
export type Snapshot = { readonly position: bigint; readonly rows: readonly (readonly unknown[])[] }

/** What a read needs: connections of the read models' database, announcements of checkpoints, and built versions. */
export type ReadStore = {
  readonly pool: ReadPool
  readonly signal: CheckpointSignal
  readonly versions: Versions
  readonly moments: Moments
  /** Who may read which rows. */
  readonly guards: Guards
}

/** A read that waits for its own writes: at least this position, and how long to wait for it. */
export type Token = { readonly position: bigint; readonly waitMs: number }

/** A question about the past as it was asked, and the position that it means. */
export type AsOf = { readonly asked: string; readonly position: bigint }

/** How new an answer must be, and as of when it is asked for. */
export type Wanted = { readonly token?: Token | undefined; readonly asOf?: AsOf | undefined }

/**
 * The first two columns of every read: the lowest checkpoint of the projections it touches in bucket `$1`, and whether
 * one of them is stalled. One statement sees one snapshot, so rows and position belong together without a transaction.
 */
export function checkpointsSql(projections: readonly AnyProjection[], alias = 'c'): string {
  const names = projections.map(({ name, version }) => `('${name}', ${version})`).join(', ')
  return `(select case when count(*) = ${projections.length} then min(position) else 0 end as position,
    coalesce(bool_or(state = 'stalled'), false) as stalled
    from ${CHECKPOINTS} where bucket = $1 and (projection, version) in (${names})) ${alias}`
}

/**
 * The same for an answer that has its revision from the audit log: its position is one that the audit log has reached
 * as well. While the audit log is stalled the answer goes without it, with a revision that may be too low: `If-Match`
 * then refuses more than it must, and never less.
 */
export function withAuditLogSql(projections: readonly AnyProjection[]): string {
  const { name, version } = auditLog
  return `(select m.stalled, least(m.position, (select position from ${CHECKPOINTS} where bucket = $1
      and projection = '${name}' and version = ${version} and state <> 'stalled')) as position
    from ${checkpointsSql(projections, 'm')}) c`
}

/** The token of a request, from the header or the query; `undefined` where it carries none. */
export function tokenOf({ header }: ApiRequest, query: Queries): Token | undefined {
  const inHeader = positionOf('Kogi-Min-Position', header('kogi-min-position'))
  const position = later(inHeader, positionOf('at_least', query.at_least))
  if (position === undefined) return undefined
  return { position, waitMs: waitOf(query) }
}

/**
 * Runs a read for an org, as new as its token asks. Throws `read_model_building` and `projection_stalled` where waiting
 * would be in vain, and `as_of_beyond_head` where the read models have not come as far as the position asked about.
 */
export async function read(
  store: ReadStore,
  request: Patient & Pick<ApiRequest, 'principal'>,
  statement: Statement,
  { token, asOf }: Wanted,
): Promise<Snapshot> {
  const { name, of, text, values } = store.guards.restricted(statement, granteesOf(request.principal))
  await store.versions.built(of)
  const bucket = bucketOf(request.principal.org)
  const query: RowsQuery = { text, values: [bucket, ...values], rowMode: 'array', types: wireTypes }
  if (name !== undefined) query.name = name
  // A stalled read model knows the past up to its position as well as any other.
  const enough = asOf && later(asOf.position, token?.position)
  const attempt = async () => answer(await run(store, query), enough)
  const found =
    token === undefined
      ? await attempt()
      : await atLeast(token, store.signal, request, () => attempt().catch(notYetBuilt))
  if (asOf !== undefined && asOf.position > found.position) throw beyondHead(asOf.position, found.position)
  return found
}

/**
 * Reads again whenever a checkpoint moved, until the answer is as new as the token asks: the read that checks is the
 * read that answers, so a satisfied token costs nothing. Throws `not_yet_visible` when the time is up.
 */
export async function atLeast<A extends { readonly position: bigint }>(
  { position, waitMs }: Token,
  signal: CheckpointSignal,
  request: Patient,
  attempt: () => Promise<A>,
): Promise<A> {
  const found = await until({ waitMs, position, signal, request }, attempt, it => it.position >= position)
  if (found.position < position) throw notYetVisible(position, found.position)
  return found
}

/**
 * Tries again whenever a checkpoint moved to `position` or beyond, and now and then besides, until what was found is
 * `enough` or the time is up: what was found last, either way.
 */
export async function until<A>(
  {
    waitMs,
    position,
    signal,
    request: { signal: abort, aside = wait => wait() },
  }: { waitMs: number; position: bigint; signal: CheckpointSignal; request: Patient },
  attempt: () => Promise<A>,
  enough: (found: A) => boolean,
): Promise<A> {
  const deadline = performance.now() + waitMs
  for (;;) {
    const ticket = signal.ticket()
    const found = await attempt()
    if (enough(found)) return found
    const left = deadline - performance.now()
    if (left <= 0 || abort.aborted) return found
    await aside(() => signal.moved(position, ticket, left, abort))
  }
}

/** Codes of 429 and 503 that every read can answer. */
export const readErrors = {
  429: ['too_many_requests'],
  503: ['not_yet_visible', 'projection_stalled', 'read_model_building'],
} as const

/** The position of an answer that two reads made: the earlier one of theirs. */
export const earlierOf = (a: bigint, b: bigint): bigint => (a < b ? a : b)

/** Every answer says how new it is, in `meta` and in a header; one about the past, of which position it is. */
export const positioned = (position: bigint, asOf?: AsOf) => ({
  meta: { position: String(position), ...(asOf && { as_of: String(asOf.position) }) },
  headers: { 'Kogi-Position': String(position) },
})

/** The read models have not reached the position that was asked for. */
const notYetVisible = (wanted: bigint, reached: bigint) =>
  new KogiError('not_yet_visible', `The answer is not as new as position ${wanted} yet; try again.`, [
    { field: 'position', message: String(reached > 0n ? reached : 0n) },
  ])

/** The read models, as far as they have come, know nothing of that position yet. */
export const beyondHead = (asked: bigint, reached: bigint) =>
  new KogiError(
    'as_of_beyond_head',
    `The position ${asked} lies beyond ${reached}, which the answer has reached; at_least waits for one to come.`,
    [
      { field: 'as_of', message: String(asked) },
      { field: 'position', message: String(reached) },
    ],
  )

async function run({ pool }: ReadStore, query: RowsQuery): Promise<unknown[][]> {
  try {
    return (await pool.query(query)).rows
  } catch (error) {
    // A read model whose table is not there yet is being built: its reader may come again, no bug and no empty answer.
    if ((error as { code?: unknown }).code !== '42P01') throw error
    throw new NotBuiltError('not_yet_visible', 'The read model is not built yet; try again.', [], { cause: error })
  }
}

class NotBuiltError extends KogiError {}

/** The answer of a read model that is not built yet, to a read that waits: a position before every token's. */
function notYetBuilt(error: unknown): Snapshot {
  if (!(error instanceof NotBuiltError)) throw error
  return { position: -1n, rows: [] }
}

/** The rows as a snapshot. Where `enough` is reached, it does not matter that a read model is stalled. */
function answer(rows: unknown[][], enough: bigint | undefined): Snapshot {
  const [position, stalled] = rows[0] as [string, boolean]
  if (stalled && (enough === undefined || BigInt(position) < enough)) throw standsStill(position)
  return { position: BigInt(position), rows }
}

/** The error for an answer one of whose read models an event has stopped. */
export const standsStill = (position: string) =>
  new KogiError('projection_stalled', 'A read model of this answer is stalled; an operator must mend it.', [
    { field: 'position', message: position },
  ])

const later = (a: bigint | undefined, b: bigint | undefined) => (b === undefined || (a !== undefined && a > b) ? a : b)

function positionOf(field: string, text: string | undefined): bigint | undefined {
  if (text === undefined) return undefined
  if (!isPosition(text)) throw invalidParameter(field, POSITION_FORM)
  return BigInt(text)
}

const asText = (text: string) => text
const PARSERS: Readonly<Record<number, (text: string) => unknown>> = {
  16: text => text === 't',
  23: Number,
  114: JSON.parse,
  701: Number,
  3802: JSON.parse,
}

/** PostgreSQL's text is the wire form, but for booleans, integers, floats and JSON: 64-bit and numeric stay strings. */
export const wireTypes = { getTypeParser: (oid: number) => PARSERS[oid] ?? asText } as NonNullable<QueryConfig['types']>
