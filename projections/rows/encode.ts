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

const escaped = (text: string): string =>
  text.replaceAll('\\', '\\\\').replaceAll('\n', '\\n').replaceAll('\r', '\\r').replaceAll('\t', '\\t')

/** How a value that is not null is written in COPY's text format, by the type of its column. */
const COPY = {
  text: (to: CopyLines, value: string) => to.text(`${value}`),
  json: (to: CopyLines, value: unknown) => to.text(jsonOf(value)),
  boolean: (to: CopyLines, value: boolean) => to.text(value ? 't' : 'f'),
  number: (to: CopyLines, value: number | bigint) => to.text(String(value)),
}

/** Writes a row as a line of COPY's text format, with fields that are no columns of it behind the others. */
export type LineOf = (to: CopyLines, row: Row, ...more: readonly string[]) => void

/**
 * The function that writes rows of some columns, and so many fields more. It is compiled from their names: a function
 * that reads every field of every table by name takes twice as long, and this is done for each value of each row.
 */
export function lineOf(columns: readonly TableColumn[], more = 0): LineOf {
  const fields = columns.map(({ name, type }) => {
    const text = type === 'jsonb' ? 'json' : Object.hasOwn(COPY, type) ? type : 'number'
    return `value = row[${JSON.stringify(name)}]
      if (value === undefined || value === null) to.nothing()
      else ${text}(to, value)`
  })
  const others = Array.from({ length: more }, (_, index) => `more${index}`)
  const steps = [...fields, ...others.map(name => `to.text(${name})`)]
  const text = `return (${['to', 'row', ...others]}) => {
    let value
    ${steps.join('\nto.byte(9)\n')}
    to.byte(10)
  }`
  return new Function(...Object.keys(COPY), text)(...Object.values(COPY)) as LineOf
}

/** The first byte of a message CopyData of PostgreSQL's protocol; a length of four bytes follows, and the data. */
const COPY_DATA = 0x64
const HEADER_BYTES = 5
/** Bytes of the first message, which is often the only one, and of the others, unless a line is longer. */
const FIRST_BYTES = 1024
const MESSAGE_BYTES = 64 * 1024
/** Texts up to this length are written byte by byte, which takes longer for long ones than a call into Node. */
const SHORT = 64
/** UTF-8 has three bytes for a UTF-16 unit at most. */
const UNIT_BYTES_MAX = 3
const BACKSLASH = 0x5c
const NO_BYTES = Buffer.alloc(0)

/**
 * Lines of COPY's text format in messages CopyData, which go to the server as they are. Values become bytes as soon as
 * they are known: as texts they would be most of what the garbage collector has to look at.
 */
export class CopyLines {
  readonly #messages: Buffer[] = []
  #bytes = NO_BYTES
  #at = 0
  /** Where the line begins that is being written. */
  #line = 0
  #count = 0

  get count(): number {
    return this.#count
  }

  /** Adds a row by the function that writes it: all of it or, where that throws, nothing. */
  add(write: LineOf, row: Row, ...more: readonly string[]): void {
    try {
      write(this, row, ...more)
      this.#line = this.#at
      this.#count += 1
    } finally {
      this.#at = this.#line
    }
  }

  /** Everything that was added, each a message with whole lines. */
  get messages(): readonly Buffer[] {
    this.#end()
    return this.#messages
  }

  byte(byte: number): void {
    this.#room(1)
    this.#bytes[this.#at] = byte
    this.#at += 1
  }

  /** Writes SQL's null. */
  nothing(): void {
    this.byte(BACKSLASH)
    this.byte(0x4e)
  }

  text(text: string): void {
    const { length } = text
    if (length > SHORT) {
      this.#long(text)
      return
    }
    this.#room(length)
    const bytes = this.#bytes
    const from = this.#at
    for (let n = 0; n < length; n += 1) {
      const unit = text.charCodeAt(n)
      if (unit < 0x20 || unit > 0x7e || unit === BACKSLASH) {
        this.#long(text)
        return
      }
      bytes[from + n] = unit
    }
    this.#at = from + length
  }

  #long(text: string): void {
    const field = COPY_SPECIAL.test(text) ? escaped(text) : text
    this.#room(field.length < MESSAGE_BYTES / 8 ? field.length * UNIT_BYTES_MAX : Buffer.byteLength(field))
    this.#at += this.#bytes.write(field, this.#at)
  }

  /** Makes room for so many bytes: where there is none, the line that is being written goes on in another message. */
  #room(bytes: number): void {
    if (this.#at + bytes <= this.#bytes.length) return
    const begun = this.#bytes.subarray(this.#line, this.#at)
    const needed = HEADER_BYTES + begun.length + bytes
    this.#end()
    const usual = this.#messages.length === 0 ? FIRST_BYTES : MESSAGE_BYTES
    this.#bytes = Buffer.allocUnsafeSlow(Math.max(usual, needed + (needed >> 1)))
    begun.copy(this.#bytes, HEADER_BYTES)
    this.#line = HEADER_BYTES
    this.#at = HEADER_BYTES + begun.length
  }

  /** Ends the message, which has all whole lines. */
  #end(): void {
    if (this.#line > HEADER_BYTES) {
      const message = this.#bytes.subarray(0, this.#line)
      message[0] = COPY_DATA
      message.writeUInt32BE(this.#line - 1, 1)
      this.#messages.push(message)
    }
    this.#bytes = NO_BYTES
    this.#line = 0
    this.#at = 0
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
