/** The table of a projection, derived from its row: names, columns, statements, and rows in both forms. */
import { createHash } from 'node:crypto'
import { z } from 'zod'
import { type Column, fieldInfo, ofStore } from '../../domain/kernel/schema.ts'
import { decode } from '../../domain/record/decoder.ts'
import { containedOf, indexesOf } from './indexes.ts'
import type { AnyProjection } from './projection.ts'

/** A row in memory form: bigint for numbers beyond 32 bits, `undefined` where an optional field is absent. */
export type Row = Readonly<Record<string, unknown>>

/** One column of a projection's table. */
export type TableColumn = {
  readonly name: string
  readonly type: Column
  readonly nullable: boolean
  readonly schema: z.ZodType
  /**
   * The value in memory that SQL's null stands for: `null` where the schema has it, `undefined` for an optional field.
   */
  readonly absent: null | undefined
}

type Named = Pick<AnyProjection, 'name' | 'version'>

/** `<name>_v<version>`: the table that holds the rows as they stand. */
export const tableOf = ({ name, version }: Named): string => `${name}_v${version}`

/**
 * The table of every row version of a projection with `history`: the row's columns, `_position` (the event that made
 * the version) and `_removed`. A version holds until the next one of its key.
 */
export const historyTableOf = (projection: Named): string => `${tableOf(projection)}_history`

/** All tables of a projection. */
export const tablesOf = (projection: AnyProjection): readonly string[] =>
  projection.history ? [tableOf(projection), historyTableOf(projection)] : [tableOf(projection)]

const columnsByRow = new WeakMap<z.ZodObject, readonly TableColumn[]>()

/** The columns in the order of the row's schema. Throws `TypeError` on a field that no schema of the kernel made. */
export function columnsOf(projection: Pick<AnyProjection, 'name' | 'row'>): readonly TableColumn[] {
  const row = projection.row as z.ZodObject
  const made = columnsByRow.get(row)
  if (made) return made
  const columns = Object.entries(row.shape as Record<string, z.ZodType>).map(([name, field]) => {
    const { column, nullable } = fieldInfo(field)
    if (!column) throw new TypeError(`${projection.name}.${name} has no column: use the schemas of domain/kernel`)
    const absent = nullable && field.safeParse(null).success ? null : undefined
    return { name, type: column, nullable, schema: unwrapped(field), absent }
  })
  columnsByRow.set(row, columns)
  return columns
}

/** The key columns, in key order. */
export function keyColumnsOf(projection: AnyProjection): readonly TableColumn[] {
  const columns = columnsOf(projection)
  return (projection.key as readonly string[]).map(name => {
    const column = columns.find(candidate => candidate.name === name)
    if (!column) throw new TypeError(`${projection.name} has no column ${name} for its key`)
    return column
  })
}

/** An identifier in SQL. */
export const quoted = (name: string): string => `"${name.replaceAll('"', '""')}"`

/** Several identifiers in SQL, separated by commas. */
export const quotedList = (names: readonly string[]): string => names.map(quoted).join(', ')

const columnDefinition = ({ name, type, nullable }: TableColumn): string =>
  `${quoted(name)} ${type}${type === 'text' ? ' collate "C"' : ''}${nullable ? '' : ' not null'}`

/**
 * The statements that make a projection's tables where they are absent. A table that is only ever added to gets its
 * primary key with the indexes, after the first catch-up: building an index once is far cheaper than growing it.
 */
export function createTables(projection: AnyProjection): readonly string[] {
  const columns = columnsOf(projection).map(columnDefinition)
  const key = isAppendOnly(projection) ? [] : [`primary key (${quotedList(projection.key)})`]
  // Hot rows are updated again and again: room on their page keeps the new version beside the old one (HOT updates).
  const room = isAppendOnly(projection) ? '' : ' with (fillfactor = 80)'
  const table = `create table if not exists ${quoted(tableOf(projection))} (${[...columns, ...key].join(', ')})${room}`
  if (!projection.history) return [table]
  const versions = [...columns, '_position bigint not null', '_removed boolean not null default false']
  return [table, `create table if not exists ${quoted(historyTableOf(projection))} (${versions.join(', ')})`]
}

/** The statements that make a projection's indexes where they are absent, primary keys of append-only tables too. */
export function createIndexes(projection: AnyProjection): readonly string[] {
  const table = tableOf(projection)
  const statements = [
    ...indexesOf(projection).map(columns => createIndex(table, columns)),
    ...(projection.lookups ?? []).map(column => createLookup(projection, table, column)),
    ...(isAppendOnly(projection) ? [] : indexesOfLists(projection)),
  ]
  if (isAppendOnly(projection)) {
    statements.unshift(
      `create unique index if not exists ${quoted(`${table}_key`)} on ${quoted(table)} (${quotedList(projection.key)})`,
    )
  }
  if (projection.history) {
    const history = historyTableOf(projection)
    const beside = projection.versionColumns ? ` include (${quotedList(projection.versionColumns)})` : ''
    statements.push(
      `create unique index if not exists ${quoted(`${history}_key`)} ` +
        `on ${quoted(history)} (${quotedList(projection.key)}, _position)${beside}`,
      ...(projection.versionLookups ?? []).map(column => createLookup(projection, history, column)),
    )
  }
  return statements
}

function createIndex(table: string, columns: readonly string[]): string {
  const name = `${table}_by_${shortened(columns.join('_'))}`
  return `create index if not exists ${quoted(name)} on ${quoted(table)} (${quotedList(columns)})`
}

/** The index of the rows that have a value in a column. */
function createLookup(projection: AnyProjection, table: string, column: string): string {
  const { nullable } = columnsOf(projection).find(({ name }) => name === column)!
  return `${createIndex(table, ['org', column])}${nullable ? ` where ${quoted(column)} is not null` : ''}`
}

/** Indexes of what lists hold, written at once, and of the rows that have none. */
function indexesOfLists(projection: AnyProjection): readonly string[] {
  const table = tableOf(projection)
  return containedOf(projection).flatMap(({ column, columns, isNullable }) => {
    const index = (kind: string, name: string) =>
      `create index if not exists ${quoted(`${table}_${kind}_${shortened(name)}`)} on ${quoted(table)}`
    const held = `${index('in', column)} using gin (${quoted(column)}) with (fastupdate = off)`
    if (!isNullable) return [held]
    const order = [column, ...columns].join('_')
    return [held, `${index('without', order)} (${quotedList(columns)}) where ${quoted(column)} is null`]
  })
}

/** The names of the indexes that `createIndexes` makes. */
export const indexNamesOf = (projection: AnyProjection): readonly string[] =>
  createIndexes(projection).map(statement => /if not exists "([^"]+)"/.exec(statement)![1]!)

/** PostgreSQL cuts names at 63 bytes: a long name keeps its beginning and ends with a hash of the whole. */
const shortened = (name: string): string =>
  name.length <= 30 ? name : `${name.slice(0, 21)}_${createHash('sha256').update(name).digest('hex').slice(0, 8)}`

/** Whether no event changes a row of this projection once it is there. */
export function isAppendOnly({ on, every }: AnyProjection): boolean {
  const handlers = [...Object.values(on), every].filter(handler => handler !== null && handler !== undefined)
  return handlers.every(handler => 'append' in (handler as object))
}

/** A row from PostgreSQL in memory form. Other columns than the projection's are left out. */
export function fromDatabase(projection: AnyProjection, stored: Readonly<Record<string, unknown>>): Row {
  const row: Record<string, unknown> = {}
  for (const { name, type, schema, absent } of columnsOf(projection)) {
    const value = stored[name]
    if (value === null || value === undefined) row[name] = absent
    else if (type === 'jsonb' || type === 'json') row[name] = ofStore(() => decode(schema, value))
    else if (type === 'numeric' || type === 'bigint') row[name] = BigInt(value as bigint | number | string)
    else row[name] = value
  }
  return row
}

/** The key of a row, or a key alone, as one text: no key field can hold U+0000. */
export function keyTextOf(projection: AnyProjection): (key: Row) => string {
  const [first, ...others] = projection.key as readonly [string, ...string[]]
  return row => {
    let text = String(row[first])
    for (const name of others) text += `\0${row[name]}`
    return text
  }
}

/** Orders rows by key as PostgreSQL does: text by its UTF-8 bytes (`collate "C"`), numbers by value. */
export function byKey(projection: AnyProjection): (a: Row, b: Row) => number {
  const columns = keyColumnsOf(projection)
  return (a, b) => {
    for (const { name, type } of columns) {
      const order = type === 'text' ? byBytes(a[name] as string, b[name] as string) : byValue(a[name], b[name])
      if (order !== 0) return order
    }
    return 0
  }
}

const byValue = (a: unknown, b: unknown): number =>
  a === b ? 0 : (a as bigint | number | boolean) < (b as bigint | number | boolean) ? -1 : 1

// UTF-16 and UTF-8 order differ for surrogates alone, which most keys do not have.
const SURROGATE = /[\ud800-\udfff]/

function byBytes(a: string, b: string): number {
  if (a === b) return 0
  if (SURROGATE.test(a) || SURROGATE.test(b)) return Buffer.compare(Buffer.from(a), Buffer.from(b))
  return a < b ? -1 : 1
}

function unwrapped(schema: z.ZodType): z.ZodType {
  return schema instanceof z.ZodOptional || schema instanceof z.ZodNullable
    ? unwrapped(schema.unwrap() as z.ZodType)
    : schema
}
