/** Rows as they stood at an earlier position of the log: the SQL behind `as_of`. */
import { auditLog } from '../audit/audit-log.ts'
import { knownUntil } from '../runner/heads.ts'
import type { AnyProjection } from './projection.ts'
import { columnsOf, historyTableOf, isAppendOnly, quoted, quotedList, tableOf } from './tables.ts'

/** The projection keeps no history: what its rows were before is not known, which is not the same as nothing. */
export class NoHistoryError extends Error {
  override readonly name = 'NoHistoryError'
}

/** Whether rows of a projection can be asked for as of a position. */
export const hasHistory = (projection: AnyProjection): boolean =>
  projection.history || (isAppendOnly(projection) && columnsOf(projection).some(({ name }) => name === 'position'))

/** Columns with the SQL of the values that they are fixed to, parameters as a rule. */
export type Fixed = readonly (readonly [column: string, value: string])[]

const matching = (fixed: Fixed): string =>
  fixed.map(([column, value]) => `h.${quoted(column)} = ${value}`).join(' and ')

const columnList = (projection: AnyProjection): string => quotedList(columnsOf(projection).map(({ name }) => name))

/**
 * SQL of the one row that `fixed` names, as of the position in the parameter `position`; no row where there was none
 * then. Of a projection with versions `fixed` names the whole key, so that one look into its index finds the row.
 */
export function rowAsOf(projection: AnyProjection, fixed: Fixed, position: string): string {
  if (!projection.history) return tableAsOf(projection, fixed, position)
  const missing = (projection.key as readonly string[]).filter(name => !fixed.some(([column]) => column === name))
  if (missing.length > 0) throw new TypeError(`${projection.name} is asked for without ${missing.join(', ')}`)
  return `(select ${columnList(projection)} from (${latest(projection, fixed, position)}) v where not v._removed)`
}

/** SQL of all rows that `fixed` leaves, as of a position: reads every version of them. Throws `NoHistoryError`. */
export function tableAsOf(projection: AnyProjection, fixed: Fixed, position: string): string {
  const columns = columnList(projection)
  if (!projection.history) {
    if (!hasHistory(projection)) throw new NoHistoryError(`${projection.name} keeps no history`)
    const table = quoted(tableOf(projection))
    return `(select ${columns} from ${table} h where ${matching(fixed)} and h."position" <= ${position}::bigint)`
  }
  const key = quotedList(projection.key)
  return `(select ${columns} from (
      select distinct on (${key}) * from ${quoted(historyTableOf(projection))} h
      where ${matching(fixed)} and h._position <= ${position}::bigint order by ${key}, _position desc
    ) v where not v._removed)`
}

/** What a page of rows is made of; `rows` counts those that the walk must find, offset and all. */
export type PageAsOf = {
  readonly fixed: Fixed
  /** The rest of the key, in its order. */
  readonly order: readonly string[]
  readonly position: string
  /** SQL of the values of `order` after which the page begins. */
  readonly after?: readonly string[]
  /** SQL conditions on a row `v`. */
  readonly filters: readonly string[]
  readonly rows: string
}

/**
 * SQL of the first rows in key order, as of a position. It walks the index from key to key and takes one version of
 * each, so that a page costs what its keys cost, however many versions each of them has had.
 */
export function pageAsOf(projection: AnyProjection, page: PageAsOf): string {
  const { fixed, order, position, after, filters, rows } = page
  const key = [...fixed.map(([column]) => column), ...order]
  if (key.join() !== projection.key.join()) throw new TypeError(`${projection.name} is not ordered by ${order}`)
  const history = quoted(historyTableOf(projection))
  const keys = order.map((column, at) => `h.${quoted(column)} as _k${at}`).join(', ')
  const place = order.map(column => `h.${quoted(column)}`).join(', ')
  const found = ['not v._removed', ...filters].join(' and ')
  const wanted = order.map((column, at) => [column, `k._k${at}`] as const)
  const version = latest(projection, [...fixed, ...wanted], position)
  const step = (beyond: string) => `select k.*, v.*, coalesce(${found}, false) as _found from (
      select ${keys} from ${history} h where ${matching(fixed)}${beyond} order by ${place} limit 1
    ) k left join lateral (${version}) v on true`
  const first = after === undefined ? '' : ` and (${place}) > (${after.join(', ')})`
  const next = ` and (${place}) > (${order.map((_, at) => `w._k${at}`).join(', ')})`
  return `(with recursive walk as (
      select f.*, f._found::int as _count from (${step(first)}) f
      union all
      select f.*, w._count + f._found::int from walk w cross join lateral (${step(next)}) f
      where w._count < ${rows}::int
    ) select ${columnList(projection)} from walk where _found)`
}

function latest(projection: AnyProjection, fixed: Fixed, position: string): string {
  return `select ${columnList(projection)}, h._removed from ${quoted(historyTableOf(projection))} h
      where ${matching(fixed)} and h._position <= ${position}::bigint order by h._position desc limit 1`
}

/**
 * SQL of one row, what a timestamp means for an org: in `position` the last position of it before its first event later
 * than `at`, 0 where there is none, so that the running maximum of the events' times up to there is not above it; in
 * `settled` whether the audit log, folded up to `reached`, holds all that can count; in `known` until when it does. The
 * events up to `after` are known not to be later.
 */
export function positionAt(org: string, at: string, reached: string, after: string): string {
  const table = quoted(tableOf(auditLog))
  const later = `select position from ${table} where org = ${org} and position > ${after}::bigint and at > ${at}
      order by position limit 1`
  const end = 'coalesce(later.position, 9223372036854775807)'
  const last = `select coalesce(max(position), 0) from ${table} where org = ${org} and position < ${end}`
  return `(select (${last}) as position,
      later.position is not null or coalesce(head.seen_at >= ${at}::timestamptz, false) as settled,
      to_char(head.seen_at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"') as known
    from (select (${later}) as position) later, (select ${knownUntil(reached)} as seen_at) head)`
}

/**
 * SQL of marks along an org's events after a position: of every `step`-th of them its position, and the latest time of
 * all from there up to it; of so many events at a time.
 */
export function marksAfter(org: string, after: string, step: number, events: number): string {
  const table = quoted(tableOf(auditLog))
  return `select position, latest from (
      select position, max(at) over own as latest, row_number() over own as n from ${table}
      where org = ${org} and position > ${after}::bigint window own as (order by position) limit ${events}
    ) m where n % ${step} = 0`
}
