/**
 * Reads and writes the part of the Protocol Buffers wire format that hot paths need, without schemas: what happens once
 * a call goes through the generated classes instead (`generated.ts`).
 *
 * Source: https://protobuf.dev/programming-guides/encoding/
 */

const VARINT = 0
const FIXED64 = 1
const BYTES = 2
const FIXED32 = 5
const VARINT_BYTES_MAX = 10
const NOTHING = Buffer.alloc(0)

/** The bytes of a message cannot be decoded. */
export class MalformedMessage extends Error {
  override readonly name = 'MalformedMessage'
}

/** Walks the fields of one message: `while (message.next()) switch (message.field) { … default: message.skip() }`. */
export class MessageReader {
  /** Number of the field that `next` found. */
  field = 0
  readonly #bytes: Buffer
  readonly #end: number
  #at: number
  #wireType = 0

  constructor(bytes: Buffer, start = 0, end = bytes.length) {
    this.#bytes = bytes
    this.#at = start
    this.#end = end
  }

  /** Finds the next field; false at the end of the message. */
  next(): boolean {
    if (this.#at >= this.#end) return false
    const tag = this.varint()
    this.field = Math.floor(tag / 8)
    this.#wireType = tag % 8
    if (this.field === 0) throw new MalformedMessage('Field number 0 is not allowed')
    return true
  }

  /** Reads a bare varint: exact up to 2^53, rounded above. */
  varint(): number {
    let value = 0
    let unit = 1
    for (let length = 0; length < VARINT_BYTES_MAX; length++) {
      const byte = this.#byte()
      value += (byte & 0x7f) * unit
      if (byte < 0x80) return value
      unit *= 128
    }
    throw new MalformedMessage(`A varint is longer than ${VARINT_BYTES_MAX} bytes`)
  }

  /** The value of an unsigned field: exact up to 2^53, rounded above. */
  uint(): number {
    this.#expect(VARINT)
    return this.varint()
  }

  /** The value of an unsigned 64-bit field. */
  uint64(): bigint {
    this.#expect(VARINT)
    const start = this.#at
    const rounded = this.varint()
    if (rounded <= Number.MAX_SAFE_INTEGER) return BigInt(rounded)
    let value = 0n
    for (let at = start; at < this.#at; at++) value |= BigInt(this.#bytes[at]! & 0x7f) << BigInt(7 * (at - start))
    return BigInt.asUintN(64, value)
  }

  /** The value of a signed 64-bit field. */
  int64(): bigint {
    return BigInt.asIntN(64, this.uint64())
  }

  bool(): boolean {
    return this.uint() !== 0
  }

  /** The bytes of a field, as a view of the message's own. */
  view(): Buffer {
    const start = this.#bounds()
    return this.#bytes.subarray(start, this.#at)
  }

  string(): string {
    const start = this.#bounds()
    return this.#bytes.toString('utf8', start, this.#at)
  }

  /** How many bytes have not been read of this message. */
  get left(): number {
    return this.#end - this.#at
  }

  /** What has not been read of this message, as text. */
  rest(): string {
    return this.#bytes.toString('utf8', this.#at, this.#end)
  }

  /** The same, as a view of the message's own bytes. */
  restView(): Buffer {
    return this.#bytes.subarray(this.#at, this.#end)
  }

  /** A reader of the message that the field holds. */
  message(): MessageReader {
    const start = this.#bounds()
    return new MessageReader(this.#bytes, start, this.#at)
  }

  /** Steps over the value of the field. */
  skip(): void {
    if (this.#wireType === VARINT) this.varint()
    else if (this.#wireType === BYTES) this.#bounds()
    else if (this.#wireType === FIXED64) this.#advance(8)
    else if (this.#wireType === FIXED32) this.#advance(4)
    else throw new MalformedMessage(`Wire type ${this.#wireType} is not supported`)
  }

  /** Steps over a field of bytes and returns where they start. */
  #bounds(): number {
    this.#expect(BYTES)
    const length = this.varint()
    const start = this.#at
    if (length > this.#end - start) throw new MalformedMessage('A field is longer than its message')
    this.#at = start + length
    return start
  }

  #expect(wireType: number): void {
    if (this.#wireType !== wireType)
      throw new MalformedMessage(`Field ${this.field} has wire type ${this.#wireType}, not ${wireType}`)
  }

  #advance(length: number): void {
    if (length > this.#end - this.#at) throw new MalformedMessage('The message ends inside a field')
    this.#at += length
  }

  #byte(): number {
    if (this.#at >= this.#end) throw new MalformedMessage('The message ends inside a varint')
    return this.#bytes[this.#at++]!
  }
}

/** What a field holds: a number, or what its length stands before. */
type Value = number | bigint | string | Uint8Array | MessageBuilder

/** Builds one message field by field, and writes it once: all lengths are known by then. */
export class MessageBuilder {
  /** Tags and values in turns. */
  readonly #fields: Value[] = []
  #length = 0

  /** Adds an unsigned field, also when its value is zero, which every decoder accepts. */
  uint(field: number, value: number | bigint): this {
    return this.#push(field * 8 + VARINT, value, typeof value === 'number' ? varintSize(value) : varintOf(value).length)
  }

  bytes(field: number, value: Uint8Array): this {
    return this.#push(field * 8 + BYTES, value, prefixed(value.length))
  }

  string(field: number, value: string): this {
    return this.#push(field * 8 + BYTES, value, prefixed(Buffer.byteLength(value)))
  }

  /** Adds a message, which must have all of its fields by now. */
  message(field: number, value: MessageBuilder): this {
    return this.#push(field * 8 + BYTES, value, prefixed(value.#length))
  }

  /** Adds a message without fields. */
  empty(field: number): this {
    return this.bytes(field, NOTHING)
  }

  /** The message, behind so many bytes that are left free. */
  finish(free = 0): Buffer {
    const out = Buffer.allocUnsafe(free + this.#length)
    this.#write(out, free)
    return out
  }

  #push(tag: number, value: Value, size: number): this {
    this.#fields.push(tag, value)
    this.#length += varintSize(tag) + size
    return this
  }

  #write(out: Buffer, start: number): number {
    const fields = this.#fields
    let at = start
    for (let n = 0; n < fields.length; n += 2) {
      at = writeVarint(out, at, fields[n] as number)
      const value = fields[n + 1]!
      if (typeof value === 'number') at = writeVarint(out, at, value)
      else if (typeof value === 'bigint') at += varintOf(value).copy(out, at)
      else if (typeof value === 'string') {
        at = writeVarint(out, at, Buffer.byteLength(value))
        at += out.write(value, at)
      } else if (value instanceof MessageBuilder) at = value.#write(out, writeVarint(out, at, value.#length))
      else {
        at = writeVarint(out, at, value.length)
        out.set(value, at)
        at += value.length
      }
    }
    return at
  }
}

/** Bytes of a value of so many bytes with its length before it. */
const prefixed = (bytes: number): number => varintSize(bytes) + bytes

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

function varintOf(value: bigint): Buffer {
  const bytes: number[] = []
  let rest = BigInt.asUintN(64, value)
  while (rest >= 0x80n) {
    bytes.push(Number(rest & 0x7fn) | 0x80)
    rest >>= 7n
  }
  bytes.push(Number(rest))
  return Buffer.from(bytes)
}
