/** The statements that write the changes of a batch: one set-based statement for each table and kind of change. */
import type { PoolClient } from 'pg'
import { arrayLiteral, type CopyLines } from './encode.ts'
import type { Statement } from './pipeline.ts'
import type { AnyProjection } from './projection.ts'
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
} from './tables.ts'

/** The changes that a batch makes to one projection's tables. */
export type Changes = {
  readonly projection: AnyProjection
  /** Rows that can only be new, in log order. */
  readonly appended: CopyLines
  /** Changed rows as they stand after the batch, one for each key. */
  readonly changed: Row[]
  /** The keys of rows that are gone. */
  readonly removed: Row[]
  /** Every version that the batch made, in log order; only where the projection keeps its history. */
  readonly versions: CopyLines
}

type Texts = {
  readonly columns: readonly TableColumn[]
  readonly keys: readonly TableColumn[]
  readonly append: string
  readonly versions: string
  readonly upsert: string
  readonly remove: string
  readonly load: string
}

const prepared = new WeakMap<AnyProjection, Texts>()

/** The statements that write the changes of one projection. */
export function statementsFor(changes: Changes): readonly Statement[] {
  const { projection, appended, changed, removed, versions } = changes
  const { columns, keys, append, upsert, remove, versions: intoVersions } = statementsOf(projection)
  const name = tableOf(projection)
  const statements: Statement[] = []
  // In this order, because one batch may add a row, change it and remove it.
  if (appended.count > 0) statements.push({ copy: append, messages: appended.messages })
  if (changed.length > 0) {
    const values = columns.map(column => arrayLiteral(column, changed))
    statements.push({ name: `upsert ${name}`, text: upsert, values })
  }
  if (removed.length > 0) {
    const values = keys.map(column => arrayLiteral(column, removed))
    statements.push({ name: `remove ${name}`, text: remove, values })
  }
  if (versions.count > 0) statements.push({ copy: intoVersions, messages: versions.messages })
  return statements
}

/** The stored rows of some keys, those that exist, in any order; `fromDatabase` turns them into memory form. */
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

function statementsOf(projection: AnyProjection): Texts {
  const made = prepared.get(projection)
  if (made) return made
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
      `insert into ${table} (${quotedList(names)}) select * from ${unnest(columns)} ` +
      `on conflict (${quotedList(keyNames)}) ` +
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
