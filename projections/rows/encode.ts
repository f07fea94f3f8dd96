/** Rows as PostgreSQL's text formats carry them: lines to copy, and one array literal per column. */
import { toWire } from '../../domain/kernel/json.ts'
import type { Row, TableColumn } from './tables.ts'

const COPY_SPECIAL = /[\\\n\r\t]/
const ARRAY_SPECIAL = /["\\]/g

/** The text of one value of a column, or `null` for SQL's null. */
function textOf(type: TableColumn['type'], value: unknown): string | null {
  if (value === undefined || value === null) return null
  if (type === 'text') return value as string
  if (type === 'jsonb' || type === 'json') return jsonOf(value)
  if (type === 'boolean') return value ? 't' : 'f'
  return String(value)
}

/** Most values hold no bigint; a copy of those that do costs less than a replacer, which is called for every member. */
function jsonOf(value: unknown): string {
  if (typeof value === 'object' && value !== null && hasBigint(value)) return JSON.stringify(toWire(value))
  return JSON.stringify(value)
}

function hasBigint(value: object): boolean {
  for (const name in value) {
    const member = (value as Readonly<Record<string, unknown>>)[name]
    if (typeof member === 'bigint') return true
    if (typeof member === 'object' && member !== null && hasBigint(member)) return true
  }
  return false
}

/** A value that is not null in COPY's text format, by the type of its column. */
const COPY = {
  text: (value: string): string => (COPY_SPECIAL.test(value) ? escaped(value) : value),
  json: (value: unknown): string => COPY.text(jsonOf(value)),
  boolean: (value: boolean): string => (value ? 't' : 'f'),
  number: (value: number | bigint): string => String(value),
}

const escaped = (text: string): string =>
  text.replaceAll('\\', '\\\\').replaceAll('\n', '\\n').replaceAll('\r', '\\r').replaceAll('\t', '\\t')

/** A row as a line of COPY's text format, with fields that are no columns of it behind the others. */
export type LineOf = (row: Row, ...more: readonly string[]) => string

/**
 * The function that writes rows of some columns, and so many fields more. It is compiled from their names: a function
 * that reads every field of every table by name takes twice as long, and this is done for each value of each row.
 */
export function lineOf(columns: readonly TableColumn[], more = 0): LineOf {
  const fields = columns.map(({ name, type }) => {
    const value = `row[${JSON.stringify(name)}]`
    const text = type === 'jsonb' ? 'json' : Object.hasOwn(COPY, type) ? type : 'number'
    return `(${value} === undefined || ${value} === null ? '\\\\N' : ${text}(${value}))`
  })
  const others = Array.from({ length: more }, (_, index) => `more${index}`)
  const line = [...fields, ...others].join(" + '\\t' + ")
  const made = new Function(...Object.keys(COPY), `return (${['row', ...others]}) => ${line} + '\\n'`)
  return made(...Object.values(COPY)) as LineOf
}

/** Lines that are joined at a time. */
const LINES_MAX = 64

/** The first byte of a message CopyData of PostgreSQL's protocol; a length of four bytes follows, and the data. */
const COPY_DATA = 0x64
const HEADER_BYTES = 5

/**
 * Lines of COPY's text format in messages CopyData, which go to the server as they are. They become bytes as soon as
 * their rows are known: what waits for the end of its batch is outside the heap, so that the garbage collector need not
 * carry it along.
 */
export class CopyLines {
  readonly #messages: Buffer[] = []
  readonly #lines: string[] = []
  #count = 0

  get count(): number {
    return this.#count
  }

  add(line: string): void {
    this.#count += 1
    if (this.#lines.push(line) >= LINES_MAX) this.#join()
  }

  /** Everything that was added, each a message with whole lines. */
  get messages(): readonly Buffer[] {
    if (this.#lines.length > 0) this.#join()
    return this.#messages
  }

  #join(): void {
    const text = this.#lines.join('')
    const bytes = Buffer.byteLength(text)
    const message = Buffer.allocUnsafeSlow(HEADER_BYTES + bytes)
    message[0] = COPY_DATA
    message.writeUInt32BE(4 + bytes, 1)
    message.write(text, HEADER_BYTES)
    this.#messages.push(message)
    this.#lines.length = 0
  }
}

/** The values of one column over many rows as an array literal. */
export function arrayLiteral({ type, name }: Pick<TableColumn, 'type' | 'name'>, rows: readonly Row[]): string {
  const quoting = type === 'text' || type === 'jsonb' || type === 'json'
  const parts = rows.map(row => {
    const text = textOf(type, row[name])
    if (text === null) return 'NULL'
    return quoting ? `"${text.replace(ARRAY_SPECIAL, '\\$&')}"` : text
  })
  return `{${parts.join(',')}}`
}
