/** Rows as they stood at an earlier position of the log: what `as_of` asks for. */
import type { ClientBase, Pool } from 'pg'
import { auditLog } from './audit-log.ts'
import type { AnyProjection, Key } from './projection.ts'
import {
  columnsOf,
  fromDatabase,
  historyTableOf,
  isAppendOnly,
  quoted,
  quotedList,
  type Row,
  tableOf,
} from './tables.ts'

/** The projection keeps no history: what its rows were before is not known, which is not the same as nothing. */
export class NoHistoryError extends Error {
  override readonly name = 'NoHistoryError'
}

/** Whether rows of a projection can be asked for as of a position. */
export const hasHistory = (projection: AnyProjection): boolean =>
  projection.history || (isAppendOnly(projection) && columnsOf(projection).some(({ name }) => name === 'position'))

/**
 * SQL that stands for a projection's table as of a position: a subquery with the columns of the row, for the org in
 * parameter `$org` and the position in parameter `$position` (their numbers). Throws `NoHistoryError`.
 */
export function tableAsOf(projection: AnyProjection, org: number, position: number): string {
  const columns = quotedList(columnsOf(projection).map(({ name }) => name))
  if (!projection.history) {
    if (!hasHistory(projection)) throw new NoHistoryError(`${projection.name} keeps no history`)
    const table = quoted(tableOf(projection))
    return `(select ${columns} from ${table} where "org" = $${org} and "position" <= $${position}::bigint)`
  }
  const key = quotedList(projection.key)
  return `(select ${columns} from (
      select distinct on (${key}) * from ${quoted(historyTableOf(projection))}
      where "org" = $${org} and _position <= $${position}::bigint order by ${key}, _position desc
    ) versions where not _removed)`
}

/** The rows of an org as of a position, in key order. Throws `NoHistoryError`. */
export async function rowsAsOf(
  client: ClientBase | Pool,
  projection: AnyProjection,
  org: string,
  position: bigint,
): Promise<readonly Row[]> {
  const sql = `select * from ${tableAsOf(projection, 1, 2)} rows order by ${quotedList(projection.key)}`
  const { rows } = await client.query(sql, [org, position])
  return rows.map(stored => fromDatabase(projection, stored))
}

/** One row as of a position, `undefined` where there was none. Throws `NoHistoryError`. */
export async function rowAsOf(
  client: ClientBase | Pool,
  projection: AnyProjection,
  key: Key,
  position: bigint,
): Promise<Row | undefined> {
  const names = projection.key as readonly string[]
  const matching = names.map((name, at) => `${quoted(name)} = $${at + 2}`).join(' and ')
  const values = [position, ...names.map(name => key[name])]
  if (!projection.history) {
    if (!hasHistory(projection)) throw new NoHistoryError(`${projection.name} keeps no history`)
    const sql = `select * from ${quoted(tableOf(projection))} where "position" <= $1::bigint and ${matching}`
    const { rows } = await client.query(sql, values)
    return rows[0] && fromDatabase(projection, rows[0])
  }
  const { rows } = await client.query(
    `select * from ${quoted(historyTableOf(projection))}
     where _position <= $1::bigint and ${matching} order by _position desc limit 1`,
    values,
  )
  return rows[0] && !rows[0]._removed ? fromDatabase(projection, rows[0]) : undefined
}

/**
 * What a timestamp means for an org: the position of its last event before the first one that is later than `at`
 * (ISO 8601), `0n` where there is none. So the running maximum of the events' times up to there is not above it.
 */
export async function positionAt(client: ClientBase | Pool, org: string, at: string): Promise<bigint> {
  const table = quoted(tableOf(auditLog))
  const { rows } = await client.query(
    `select coalesce(max(position), 0) as position from ${table} where org = $1 and position < coalesce(
       (select position from ${table} where org = $1 and at > $2 order by position limit 1), 9223372036854775807)`,
    [org, at],
  )
  return BigInt(rows[0].position)
}
