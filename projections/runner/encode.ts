/** Rows as PostgreSQL's text formats carry them: COPY lines, and one array literal per column. */
import type { Row, TableColumn } from '../tables.ts'

const COPY_SPECIAL = /[\\\n\r\t]/
const ARRAY_SPECIAL = /["\\]/g

/** The text of one value of a column, or `null` for SQL's null. */
function textOf(type: TableColumn['type'], value: unknown): string | null {
  if (value === undefined || value === null) return null
  if (type === 'text') return value as string
  if (type === 'jsonb') return JSON.stringify(value, bigintAsText)
  if (type === 'boolean') return value ? 't' : 'f'
  return String(value)
}

const bigintAsText = (_: string, value: unknown): unknown => (typeof value === 'bigint' ? String(value) : value)

/** One value in COPY's text format. */
function copyField(type: TableColumn['type'], value: unknown): string {
  const text = textOf(type, value)
  if (text === null) return '\\N'
  if ((type !== 'text' && type !== 'jsonb') || !COPY_SPECIAL.test(text)) return text
  return text.replaceAll('\\', '\\\\').replaceAll('\n', '\\n').replaceAll('\r', '\\r').replaceAll('\t', '\\t')
}

/** One row as a line of COPY's text format, without the line end. */
export function copyLine(columns: readonly TableColumn[], row: Row): string {
  let line = copyField(columns[0]!.type, row[columns[0]!.name])
  for (let index = 1; index < columns.length; index += 1) {
    line += `\t${copyField(columns[index]!.type, row[columns[index]!.name])}`
  }
  return line
}

/** The values of one column over many rows as an array literal. */
export function arrayLiteral({ type, name }: Pick<TableColumn, 'type' | 'name'>, rows: readonly Row[]): string {
  const quoting = type === 'text' || type === 'jsonb'
  const parts = rows.map(row => {
    const text = textOf(type, row[name])
    if (text === null) return 'NULL'
    return quoting ? `"${text.replace(ARRAY_SPECIAL, '\\$&')}"` : text
  })
  return `{${parts.join(',')}}`
}
