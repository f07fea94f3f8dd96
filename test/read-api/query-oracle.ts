/** What lists and summaries must answer, computed from rows in memory: an oracle that knows no SQL and no read API. */
import type { z } from 'zod'
import { fieldInfo, plainOf } from '../../domain/kernel/schema.ts'

/** A row as JSON has it: numbers beyond 32 bits as decimal strings, absent fields left out. */
export type WireRow = Readonly<Record<string, unknown>>

/** One filter of a query: its parameter, and the values that it stands for. */
export type Asked = { readonly column: string; readonly form: string; readonly values: readonly string[] }

/** Whether the values of a column are compared as numbers. */
export const isNumeric = (schema: z.ZodType) =>
  ['integer', 'bigint', 'numeric'].includes(fieldInfo(plainOf(schema)).column ?? '')

const byCodePoint = (a: string, b: string) => Buffer.compare(Buffer.from(a), Buffer.from(b))
const byNumber = (a: string, b: string) => (BigInt(a) < BigInt(b) ? -1 : BigInt(a) > BigInt(b) ? 1 : 0)

/** Orders two values of a column; an absent one comes last. */
function compared(schema: z.ZodType | undefined, a: unknown, b: unknown): number {
  const [left, right] = [a ?? undefined, b ?? undefined]
  if (left === undefined || right === undefined) return Number(left === undefined) - Number(right === undefined)
  return (schema && isNumeric(schema) ? byNumber : byCodePoint)(String(left), String(right))
}

/** Orders rows by columns, all of them upwards or all of them downwards. */
export function sorted(
  rows: readonly WireRow[],
  shape: Readonly<Record<string, z.ZodType>>,
  columns: readonly string[],
  downwards = false,
): readonly WireRow[] {
  const order = (a: WireRow, b: WireRow) =>
    columns.map(column => compared(shape[column], a[column], b[column])).find(result => result !== 0) ?? 0
  return rows.toSorted(downwards ? (a, b) => order(b, a) : order)
}

/** Whether a row passes a filter. */
export function passes(row: WireRow, { column, form, values }: Asked, schema: z.ZodType): boolean {
  const value = row[column]
  const [first] = values as [string]
  if (form === 'absent') return (value === undefined) === (first === 'true')
  if (value === undefined) return false
  if (form === 'prefix') return String(value).startsWith(first)
  if (form === '') {
    return Array.isArray(value) ? values.some(one => value.includes(one)) : values.includes(String(value))
  }
  const isWholeDay = String(value).length > 10 && first.length === 10
  const order = compared(schema, isWholeDay ? String(value).slice(0, 10) : value, first)
  return { lt: order < 0, lte: order <= 0, gt: order > 0, gte: order >= 0 }[form]!
}

/** The value of a field that a summary groups by, `due_on:week` for one. */
function groupValue(row: WireRow, field: string): unknown {
  const [column, unit] = field.split(':') as [string, string?]
  const value = row[column] ?? null
  if (unit === undefined || value === null) return value
  const day = String(value).slice(0, 10)
  return unit === 'day' ? day : unit === 'month' ? day.slice(0, 7) : mondayOf(day)
}

/** The Monday on or before a day; the calendar begins with a Monday. */
function mondayOf(day: string): string {
  const date = new Date(`${day}T00:00:00Z`)
  date.setUTCDate(date.getUTCDate() - ((date.getUTCDay() + 6) % 7))
  return date.toISOString().slice(0, 10)
}

export type Group = {
  readonly group: Readonly<Record<string, unknown>>
  readonly count: number
  readonly sums: Readonly<Record<string, string>>
}

/** The groups of rows, in the order of a summary. */
export function summarized(
  rows: readonly WireRow[],
  shape: Readonly<Record<string, z.ZodType>>,
  { by, sums, sort }: { by: readonly string[]; sums: readonly string[]; sort: string | undefined },
): readonly Group[] {
  const groups = new Map<string, WireRow[]>()
  if (by.length === 0) groups.set('[]', [])
  for (const row of rows) {
    const key = JSON.stringify(by.map(field => groupValue(row, field)))
    groups.set(key, [...(groups.get(key) ?? []), row])
  }
  const found = [...groups].map(([key, members]) => {
    const values = JSON.parse(key) as unknown[]
    const added = sums.map(sum => [sum, String(members.reduce((n, row) => n + BigInt(String(row[sum] ?? 0)), 0n))])
    return {
      group: Object.fromEntries(by.map((field, at) => [field, values[at]])),
      count: members.length,
      sums: Object.fromEntries(added) as Record<string, string>,
    }
  })
  const fieldOf = ({ group, count, sums: all }: Group, name: string) =>
    name === 'count' ? String(count) : (all[name] ?? group[name])
  const isSum = (name: string) => name === 'count' || sums.includes(name)
  const order = (a: Group, b: Group, name: string) =>
    isSum(name)
      ? byNumber(String(fieldOf(a, name)), String(fieldOf(b, name)))
      : compared(shape[name], fieldOf(a, name), fieldOf(b, name))
  const [downwards, first] = sort?.startsWith('-') ? [true, sort.slice(1)] : [false, sort]
  return found.sort((a, b) => {
    const led = first === undefined ? 0 : order(a, b, first) * (downwards ? -1 : 1)
    return led || (by.map(name => order(a, b, name)).find(result => result !== 0) ?? 0)
  })
}
