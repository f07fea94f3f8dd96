/** Rows as PostgreSQL's text formats carry them: lines to copy, and one array literal per column. */
import type { Row, TableColumn } from '../tables.ts'

const COPY_SPECIAL = /[\\\n\r\t]/
const ARRAY_SPECIAL = /["\\]/g

/** The text of one value of a column, or `null` for SQL's null. */
function textOf(type: TableColumn['type'], value: unknown): string | null {
  if (value === undefined || value === null) return null
  if (type === 'text') return value as string
  if (type === 'jsonb') return jsonOf(value)
  if (type === 'boolean') return value ? 't' : 'f'
  return String(value)
}

/** Most values hold no bigint, and a replacer is called for every member of every value. */
function jsonOf(value: unknown): string {
  if (typeof value === 'object' && value !== null && hasBigint(value)) return JSON.stringify(value, bigintAsText)
  return JSON.stringify(value)
}

function hasBigint(value: object): boolean {
  for (const member of Object.values(value)) {
    if (typeof member === 'bigint') return true
    if (typeof member === 'object' && member !== null && hasBigint(member)) return true
  }
  return false
}

const bigintAsText = (_: string, value: unknown): unknown => (typeof value === 'bigint' ? String(value) : value)

/** One value in COPY's text format. */
function copyField(type: TableColumn['type'], value: unknown): string {
  const text = textOf(type, value)
  if (text === null) return '\\N'
  if ((type !== 'text' && type !== 'jsonb') || !COPY_SPECIAL.test(text)) return text
  return text.replaceAll('\\', '\\\\').replaceAll('\n', '\\n').replaceAll('\r', '\\r').replaceAll('\t', '\\t')
}

/** Pieces of lines that are joined at a time: the strings between would be most of a batch's garbage. */
const PIECES_MAX = 8_192

/** Lines of COPY's text format, gathered row by row. */
export class CopyLines {
  readonly #texts: string[] = []
  #pieces: string[] = []

  /** Adds a row, with fields that are no columns of it behind the others. */
  add(columns: readonly TableColumn[], row: Row, ...more: readonly string[]): void {
    const pieces = this.#pieces
    for (const { type, name } of columns) pieces.push(copyField(type, row[name]), '\t')
    for (const field of more) pieces.push(field, '\t')
    pieces[pieces.length - 1] = '\n'
    if (pieces.length >= PIECES_MAX) this.#join()
  }

  /** All lines, as texts of many lines each. */
  get texts(): readonly string[] {
    this.#join()
    return this.#texts
  }

  #join(): void {
    if (this.#pieces.length > 0) this.#texts.push(this.#pieces.join(''))
    this.#pieces = []
  }
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
