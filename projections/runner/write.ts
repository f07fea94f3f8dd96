/** What a batch changes, written with one set-based statement per table. */
import type { PoolClient } from 'pg'
import type { AnyProjection } from '../projection.ts'
import {
  columnsOf,
  historyTableOf,
  isAppendOnly,
  keyColumnsOf,
  quoted,
  quotedList,
  type Row,
  type TableColumn,
  tableOf,
} from '../tables.ts'
import { copyInto } from './copy.ts'
import { arrayLiteral, copyLine } from './encode.ts'

/** A row version that an event made; `removed` where the event removed the row. */
export type RowVersion = { readonly row: Row; readonly position: bigint; readonly removed: boolean }

/** What a batch does to one projection's tables. */
export type Changes = {
  readonly projection: AnyProjection
  /** Rows that are new by their nature, in log order. */
  readonly appended: Row[]
  /** Rows as they stand after the batch, one for each key it touched. */
  readonly changed: Row[]
  /** Rows that are gone. */
  readonly removed: Row[]
  /** Every version that the batch made, in log order; only where the projection keeps its history. */
  readonly versions: RowVersion[]
}

type Statements = {
  readonly columns: readonly TableColumn[]
  readonly keys: readonly TableColumn[]
  readonly append: string
  readonly versions: string
  readonly upsert: string
  readonly remove: string
  readonly load: string
}

const prepared = new WeakMap<AnyProjection, Statements>()

/** Writes the changes of one projection inside the caller's transaction. */
export async function writeChanges(client: PoolClient, changes: Changes): Promise<void> {
  const { projection, appended, changed, removed, versions } = changes
  const statements = statementsOf(projection)
  const { columns, keys } = statements
  const name = tableOf(projection)
  // In this order, because one batch may add a row, change it and remove it.
  if (appended.length > 0) {
    const lines = appended.map(row => copyLine(columns, row))
    await copyInto(client, statements.append, lines)
  }
  if (changed.length > 0) {
    const values = columns.map(column => arrayLiteral(column, changed))
    await client.query({ name: `upsert ${name}`, text: statements.upsert, values })
  }
  if (removed.length > 0) {
    const values = keys.map(column => arrayLiteral(column, removed))
    await client.query({ name: `remove ${name}`, text: statements.remove, values })
  }
  if (versions.length > 0) {
    const lines = versions.map(
      ({ row, position, removed }) => `${copyLine(columns, row)}\t${position}\t${removed ? 't' : 'f'}`,
    )
    await copyInto(client, statements.versions, lines)
  }
}

/** The stored rows of some keys: those that exist, in any order, in memory form but for `fromDatabase`. */
export async function loadRows(
  client: Pick<PoolClient, 'query'>,
  projection: AnyProjection,
  wanted: readonly Row[],
): Promise<readonly Record<string, unknown>[]> {
  const { keys, load } = statementsOf(projection)
  const values = keys.map(column => arrayLiteral(column, wanted))
  const { rows } = await client.query({ name: `load ${tableOf(projection)}`, text: load, values })
  return rows
}

function statementsOf(projection: AnyProjection): Statements {
  const known = prepared.get(projection)
  if (known) return known
  const columns = columnsOf(projection)
  const keys = keyColumnsOf(projection)
  const table = quoted(tableOf(projection))
  const names = columns.map(({ name }) => name)
  const keyNames = keys.map(({ name }) => name)
  const others = names.filter(name => !keyNames.includes(name))
  const unnest = (list: readonly TableColumn[]) =>
    `unnest(${list.map(({ type }, index) => `$${index + 1}::${type}[]`).join(', ')})`
  const matching = keyNames.map(name => `t.${quoted(name)} = k.${quoted(name)}`).join(' and ')
  const statements = {
    columns,
    keys,
    append: `${table} (${quotedList(names)})`,
    versions: `${quoted(historyTableOf(projection))} (${quotedList(names)}, _position, _removed)`,
    upsert:
      `insert into ${table} (${quotedList(names)}) select * from ${unnest(columns)} on conflict (${quotedList(keyNames)}) ` +
      (others.length === 0
        ? 'do nothing'
        : `do update set ${others.map(name => `${quoted(name)} = excluded.${quoted(name)}`).join(', ')}`),
    remove: `delete from ${table} t using ${unnest(keys)} k(${quotedList(keyNames)}) where ${matching}`,
    load: isAppendOnly(projection)
      ? ''
      : `select ${names.map(name => `t.${quoted(name)}`).join(', ')} from ${unnest(keys)} k(${quotedList(keyNames)}) ` +
        `join ${table} t on ${matching}`,
  }
  prepared.set(projection, statements)
  return statements
}
