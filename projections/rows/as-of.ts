/** Rows as they stood at an earlier position of the log: the SQL behind `as_of`. */
import type { AnyProjection } from './projection.ts'
import { columnsOf, historyTableOf, isAppendOnly, quoted, quotedList, tableOf } from './tables.ts'

/** The projection keeps no history: its earlier rows are unknown, which is not the same as that there were none. */
export class NoHistoryError extends Error {
  override readonly name = 'NoHistoryError'
}

/** Whether a projection can answer as of a position. */
export const hasHistory = (projection: AnyProjection): boolean =>
  projection.history || (isAppendOnly(projection) && columnsOf(projection).some(({ name }) => name === 'position'))

/** Columns that must have a value, each with the SQL of it; most values are parameters. */
export type Fixed = readonly (readonly [column: string, value: string])[]

const matching = (fixed: Fixed): string =>
  fixed.map(([column, value]) => `h.${quoted(column)} = ${value}`).join(' and ')

const columnList = (projection: AnyProjection): string => quotedList(columnsOf(projection).map(({ name }) => name))

/**
 * SQL of the one row that `fixed` names, as of `position`; it gives no row where there was none then. For a projection
 * with versions `fixed` must name the whole key, so that one look into the index finds the row.
 */
export function rowAsOf(projection: AnyProjection, fixed: Fixed, position: string): string {
  if (!projection.history) return tableAsOf(projection, fixed, position)
  const missing = (projection.key as readonly string[]).filter(name => !fixed.some(([column]) => column === name))
  if (missing.length > 0) throw new TypeError(`${projection.name} is asked for without ${missing.join(', ')}`)
  return `(select ${columnList(projection)} from (${latest(projection, fixed, position)}) v where not v._removed)`
}

/** SQL of all rows that match `fixed`, as of a position. It reads every version of them. Throws `NoHistoryError`. */
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

/** The rows of an org, whose parameter is the second of the statement. */
export const OF_ORG: Fixed = [['org', '$2']]

/**
 * SQL of the rows of a read model now, all of them, or of those that match `fixed` as of a position; `then` is SQL of
 * it.
 */
export const rowsSql = (projection: AnyProjection, fixed: Fixed, then: string | undefined): string =>
  then === undefined ? tableOf(projection) : tableAsOf(projection, fixed, then)

/**
 * SQL of the rows of things now, or as of a position those that ever had a value in a column: an index of versions
 * finds them without the others, and the statement says once more that they have it.
 */
export function rowsWith(projection: AnyProjection, [column, value]: Fixed[number], then: string | undefined): string {
  if (then === undefined) return tableOf(projection)
  const key: Fixed = [
    ['org', '$2'],
    ['id', 'e.id'],
  ]
  return `(select v.* from (select distinct h.id from ${quoted(historyTableOf(projection))} h
      where h.org = $2 and h.${quoted(column)} = ${value}) e cross join lateral ${rowAsOf(projection, key, then)} v)`
}

/** The parts of a page's statement; `rows` is how many rows the walk must find, those of the offset included. */
export type PageAsOf = {
  readonly fixed: Fixed
  /** The columns of the key that `fixed` does not name, in key order. */
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
 * each, so that the cost of a page grows with its keys and not with their versions.
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
