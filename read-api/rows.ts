import { z } from 'zod'
import type { Json } from '../domain/kernel/json.ts'
import { boolean, type Sealed, sealed, text } from '../domain/kernel/schema.ts'
import type { AnyProjection } from '../projections/rows/projection.ts'

/** Opens sealed personal data of an org in order: `null` where a key was erased, `undefined` where it is missing. */
export type Unseal = (org: string, envelopes: readonly Sealed[]) => Promise<readonly (string | null | undefined)[]>

/** A row as JSON: money and positions are decimal strings, absent fields are left out. */
export type WireRow = { [column: string]: Json }

/** The columns of a projection's rows, in the order in which reads select them. */
export const columnsOf = ({ row }: AnyProjection): readonly string[] => Object.keys(row.shape)

/** The columns that hold sealed personal data. */
export const sealedColumnsOf = ({ row }: AnyProjection): readonly string[] =>
  columnsOf({ row } as AnyProjection).filter(column => inner(row.shape[column]) === sealed)

const erased = boolean.meta({ description: 'there where personal data was erased for good; it reads null' })
const keyMissing = boolean.meta({
  description: 'there where the key of personal data is missing, which an operator has to mend; the text reads null',
})

/** What a row looks like outside: personal data open, and a word where that was not possible. */
export function outsideSchemaOf(projection: AnyProjection): z.ZodObject {
  const personal = sealedColumnsOf(projection)
  const computed = Object.entries(projection.computed ?? {}).map(([name, { schema }]) => [name, schema] as const)
  const row = projection.row.extend(Object.fromEntries(computed))
  if (personal.length === 0) return row
  const open = personal.map(column => [column, text(50_000).nullable().optional()] as const)
  return row.extend({
    ...Object.fromEntries(open),
    erased: erased.optional(),
    personal_key_missing: keyMissing.optional(),
  })
}

/** A row in array form as an object; `from` is the index of its first column. */
export function wireRow(columns: readonly string[], values: readonly unknown[], from: number): WireRow {
  const row: WireRow = {}
  for (let at = 0; at < columns.length; at += 1) {
    const value = values[from + at]
    if (value !== null) row[columns[at]!] = value as Json
  }
  return row
}

/** Opens the personal data of all rows in one call; rows without personal data cost nothing. */
export async function opened(rows: WireRow[], columns: readonly string[], org: string, unseal: Unseal) {
  const places = rows.flatMap(row => columns.filter(column => column in row).map(column => ({ row, column })))
  if (places.length === 0) return rows
  const texts = await unseal(
    org,
    places.map(({ row, column }) => row[column] as unknown as Sealed),
  )
  for (const [at, { row, column }] of places.entries()) {
    const text = texts[at]
    row[column] = text ?? null
    if (text === null) row.erased = true
    if (text === undefined) row.personal_key_missing = true
  }
  return rows
}

function inner(schema: z.ZodType): z.ZodType {
  return schema instanceof z.ZodOptional || schema instanceof z.ZodNullable
    ? inner(schema.unwrap() as z.ZodType)
    : schema
}
