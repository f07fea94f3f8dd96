/** Rows as PostgreSQL has them, in key order; check, replay, rebuild and tests compare them with a fold. */
import type { ClientBase, Pool } from 'pg'
import { type TableDigest, TableDigester } from './digest.ts'
import type { AnyProjection } from './projection.ts'
import { columnsOf, fromDatabase, historyTableOf, quoted, quotedList, type Row, tableOf } from './tables.ts'

const FETCH_ROWS = 2_000

/**
 * The rows of a projection in key order, of one org or of all. They are read in pages, so that memory does not grow
 * with the table. Inside a REPEATABLE READ transaction all pages are of one instant.
 */
export async function* storedRows(
  client: ClientBase | Pool,
  projection: AnyProjection,
  org?: string,
  table: string = tableOf(projection),
): AsyncGenerator<Row> {
  const keys = projection.key as readonly string[]
  const types = new Map(columnsOf(projection).map(({ name, type }) => [name, type]))
  const names = quotedList(columnsOf(projection).map(({ name }) => name))
  const own = org === undefined ? '' : ` and "org" = $${keys.length + 2}`
  const from = `select ${names} from ${quoted(table)} where`
  const end = `${own} order by ${quotedList(keys)} limit ${FETCH_ROWS}`
  const after = `(${quotedList(keys)}) > (${keys.map((key, at) => `$${at + 2}::${types.get(key)}`).join(', ')})`
  let last: Row | undefined
  for (;;) {
    const values: unknown[] = [last !== undefined, ...keys.map(key => last?.[key] ?? null)]
    if (org !== undefined) values.push(org)
    // The flag keeps one statement for the first page and the next ones.
    const where =
      last === undefined
        ? `not $1::boolean${keys.map((key, at) => ` and $${at + 2}::${types.get(key)} is null`).join('')}`
        : `$1::boolean and ${after}`
    const { rows } = await client.query(`${from} ${where}${end}`, values)
    for (const stored of rows) {
      last = fromDatabase(projection, stored)
      yield last
    }
    if (rows.length < FETCH_ROWS) return
  }
}

/**
 * Every version of the rows of a projection, in the order of keys and positions, of one org or of all: rows with
 * `_position` and `_removed`. Needs a transaction, for its cursor.
 */
export async function* storedVersions(
  client: ClientBase,
  projection: AnyProjection,
  org?: string,
  table: string = historyTableOf(projection),
): AsyncGenerator<Row> {
  const names = quotedList(columnsOf(projection).map(({ name }) => name))
  const own = org === undefined ? '' : ' where "org" = $1'
  await client.query(
    `declare stored_versions no scroll cursor for select ${names}, _position, _removed
     from ${quoted(table)}${own} order by ${quotedList(projection.key)}, _position`,
    org === undefined ? [] : [org],
  )
  try {
    for (;;) {
      const { rows } = await client.query(`fetch ${FETCH_ROWS} from stored_versions`)
      for (const { _position, _removed, ...row } of rows) {
        yield { ...fromDatabase(projection, row), _position: BigInt(_position), _removed }
      }
      if (rows.length < FETCH_ROWS) return
    }
  } finally {
    await client.query('close stored_versions').catch(() => {})
  }
}

/** The digest of each org's rows in a projection; rows of no org count as those of the org `''`. */
export const storedDigests = (client: ClientBase | Pool, projection: AnyProjection, table?: string) =>
  digestsOf(storedRows(client, projection, undefined, table))

/** The digest of each org's row versions. Needs a transaction. */
export const versionDigests = (client: ClientBase, projection: AnyProjection, table?: string) =>
  digestsOf(storedVersions(client, projection, undefined, table))

async function digestsOf(rows: AsyncIterable<Row>): Promise<Map<string, TableDigest>> {
  const digesters = new Map<string, TableDigester>()
  for await (const row of rows) {
    const org = typeof row.org === 'string' ? row.org : ''
    const digester = digesters.get(org) ?? new TableDigester()
    digesters.set(org, digester)
    digester.add(row)
  }
  return new Map([...digesters].map(([org, digester]) => [org, digester.end()]))
}
