/**
 * The part of the Protocol Buffers wire format that the event store speaks: varints, length-delimited fields, and
 * skipping what it does not know. Two small cursors, no schemas: every message is read and written by the code that
 * understands it. Source: https://protobuf.dev/programming-guides/encoding/
 */

/** The request cannot be decoded; the caller answers INVALID_ARGUMENT. */
export class MalformedMessage extends Error {}

const VARINT = 0
const FIXED64 = 1
const BYTES = 2
const FIXED32 = 5

/** Walks the fields of one message: `while (reader.next()) switch (reader.field) { … default: reader.skip() }`. */
export class Reader {
  field = 0
  private readonly bytes: Buffer
  private at: number
  private readonly end: number
  private wire = 0

  constructor(bytes: Buffer, start = 0, end = bytes.length) {
    this.bytes = bytes
    this.at = start
    this.end = end
  }

  next(): boolean {
    if (this.at >= this.end) return false
    const tag = this.number()
    this.field = Math.floor(tag / 8)
    this.wire = tag % 8
    if (this.field === 0) throw new MalformedMessage('Field number 0 is not allowed')
    return true
  }

  /** A varint as a number: exact up to 2^53, rounded above. */
  number(): number {
    let value = 0
    let unit = 1
    for (let length = 0; length < 10; length++) {
      const byte = this.byte()
      value += (byte & 0x7f) * unit
      if (byte < 0x80) return value
      unit *= 128
    }
    throw new MalformedMessage('A varint is longer than 10 bytes')
  }

  /** The value of a varint field. */
  uint(): number {
    this.expect(VARINT)
    return this.number()
  }

  /** The value of a varint field as an unsigned 64-bit integer. */
  uint64(): bigint {
    this.expect(VARINT)
    const start = this.at
    const rounded = this.number()
    if (rounded <= Number.MAX_SAFE_INTEGER) return BigInt(rounded)
    this.at = start
    let value = 0n
    for (let shift = 0n; shift < 70n; shift += 7n) {
      const byte = this.byte()
      value |= BigInt(byte & 0x7f) << shift
      if (byte < 0x80) return BigInt.asUintN(64, value)
    }
    throw new MalformedMessage('A varint is longer than 10 bytes')
  }

  int64(): bigint {
    return BigInt.asIntN(64, this.uint64())
  }

  bool(): boolean {
    return this.uint() !== 0
  }

  /** A length-delimited field, as a view of the message's own bytes. */
  view(): Buffer {
    const start = this.bounds()
    return this.bytes.subarray(start, this.at)
  }

  string(): string {
    const start = this.bounds()
    return this.bytes.toString('utf8', start, this.at)
  }

  /** What has not been read of this message, as a text. */
  rest(): string {
    return this.bytes.toString('utf8', this.at, this.end)
  }

  message(): Reader {
    const start = this.bounds()
    return new Reader(this.bytes, start, this.at)
  }

  skip(): void {
    if (this.wire === VARINT) this.number()
    else if (this.wire === BYTES) this.bounds()
    else if (this.wire === FIXED64) this.advance(8)
    else if (this.wire === FIXED32) this.advance(4)
    else throw new MalformedMessage(`Wire type ${this.wire} is not supported`)
  }

  /** Steps over a length-delimited field and returns where its content starts. */
  private bounds(): number {
    this.expect(BYTES)
    const length = this.number()
    const start = this.at
    if (length > this.end - start) throw new MalformedMessage('A field is longer than its message')
    this.at = start + length
    return start
  }

  private expect(wire: number): void {
    if (this.wire !== wire) throw new MalformedMessage(`Field ${this.field} has wire type ${this.wire}, not ${wire}`)
  }

  private advance(length: number): void {
    if (length > this.end - this.at) throw new MalformedMessage('The message ends inside a field')
    this.at += length
  }

  private byte(): number {
    if (this.at >= this.end) throw new MalformedMessage('The message ends inside a varint')
    return this.bytes[this.at++]!
  }
}

/** Bytes that the varint of a non-negative safe integer takes. */
export function varintSize(value: number): number {
  let size = 1
  for (let rest = value; rest >= 0x80; rest = Math.floor(rest / 128)) size++
  return size
}

/** Writes a non-negative safe integer as a varint and returns the offset behind it. */
export function writeVarint(out: Buffer, at: number, value: number): number {
  let rest = value
  let offset = at
  while (rest >= 0x80) {
    out[offset++] = (rest % 128) | 0x80
    rest = rest < 0x80000000 ? rest >>> 7 : Math.floor(rest / 128)
  }
  out[offset++] = rest
  return offset
}

/** Builds one message. For the cold paths: every nested message is a Writer of its own. */
export class Writer {
  private readonly parts: Buffer[] = []
  private length = 0

  /** A varint field; written also when zero, which every decoder accepts. */
  uint(field: number, value: number | bigint): this {
    return this.push(varint(field * 8 + VARINT)).push(varint(value))
  }

  bool(field: number, value: boolean): this {
    return this.uint(field, value ? 1 : 0)
  }

  bytes(field: number, value: Uint8Array): this {
    return this.push(varint(field * 8 + BYTES))
      .push(varint(value.length))
      .push(value)
  }

  string(field: number, value: string): this {
    return this.bytes(field, Buffer.from(value, 'utf8'))
  }

  message(field: number, value: Writer): this {
    return this.bytes(field, value.finish())
  }

  empty(field: number): this {
    return this.bytes(field, NOTHING)
  }

  finish(): Buffer {
    return Buffer.concat(this.parts, this.length)
  }

  private push(part: Uint8Array): this {
    this.parts.push(Buffer.isBuffer(part) ? part : Buffer.from(part))
    this.length += part.length
    return this
  }
}

const NOTHING = Buffer.alloc(0)

function varint(value: number | bigint): Buffer {
  if (typeof value === 'number') {
    const out = Buffer.allocUnsafe(varintSize(value))
    writeVarint(out, 0, value)
    return out
  }
  const bytes: number[] = []
  let rest = BigInt.asUintN(64, value)
  while (rest >= 0x80n) {
    bytes.push(Number(rest & 0x7fn) | 0x80)
    rest >>= 7n
  }
  bytes.push(Number(rest))
  return Buffer.from(bytes)
}
