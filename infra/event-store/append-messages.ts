/**
 * Encodes appends and decodes their answers. The stock client builds several objects, copies and base64 texts for every
 * event, which takes longer than all the rest of a command.
 *
 * Source: the messages `BatchAppendReq` and `BatchAppendResp` of streams.proto, EventStoreDB 23.10.
 */
import type { NewEvent } from '../../commands/ports.ts'
import { FRAME_HEADER_BYTES } from '../wire/grpc.ts'
import { MessageReader, varintSize, writeVarint } from '../wire/protobuf.ts'

/** Bytes of events in one message, as the stock client has it: an append of more goes in several. */
const CHUNK_BYTES = 3 * 1024 * 1024

export type AppendRequest = {
  /** What the answer names the request by: a safe integer, used once on a call. */
  readonly number: number
  readonly stream: string
  /** The revision of the stream's last event, negative where the stream is new. */
  readonly expected: bigint | 'any'
  readonly events: readonly NewEvent[]
  /** Time after which the server need not begin any more, in whole milliseconds. */
  readonly deadlineMs: number
}

/** An append that is ready to be written. */
export type EncodedAppend = {
  /** Bytes of all frames. */
  readonly size: number
  /** Bytes of the largest message. */
  readonly messageSize: number
  /** Writes the frames and returns the offset behind them. */
  readonly write: (out: Buffer, at: number) => number
}

/** The first 24 characters of the ids that requests and answers are matched by; the number is the rest. */
const CORRELATION_PREFIX = '00000000-0000-4000-8000-'
const CORRELATION_DIGITS = 12
/** A UUID in its message: field 2, 36 characters. */
const UUID_BYTES = 2 + 36
const EMPTY_NO_STREAM = Buffer.from([0x1a, 0])
const EMPTY_ANY = Buffer.from([0x22, 0])
const IS_FINAL = Buffer.from([0x20, 1])
const TYPE_KEY = Buffer.from('\x0a\x04type', 'latin1')
const contentTypeEntry = (type: string) =>
  Buffer.from(
    `\x12${String.fromCharCode(16 + type.length)}\x0a\x0ccontent-type\x12${String.fromCharCode(type.length)}${type}`,
    'latin1',
  )
const JSON_ENTRY = contentTypeEntry('application/json')
const BINARY_ENTRY = contentTypeEntry('application/octet-stream')

/** The frames of an append: one message, or several where the events are many. */
export function encodeAppend({ number, stream, expected, events, deadlineMs }: AppendRequest): EncodedAppend {
  const correlation = CORRELATION_PREFIX + number.toString(16).padStart(CORRELATION_DIGITS, '0')
  const options = encodeOptions(stream, expected, deadlineMs)
  const chunks: Chunk[] = []
  let chunk: Chunk = { proposals: [], size: 0 }
  for (const event of events) {
    const proposal = proposalOf(event)
    const size = fieldSize(proposal.size)
    if (chunk.size > 0 && chunk.size + size > CHUNK_BYTES) {
      chunks.push(chunk)
      chunk = { proposals: [], size: 0 }
    }
    chunk.proposals.push(proposal)
    chunk.size += size
  }
  chunks.push(chunk)
  const sizeOf = (n: number) =>
    fieldSize(UUID_BYTES) + chunks[n]!.size + (n === 0 ? fieldSize(options.length) : 0) + (isLast(n) ? 2 : 0)
  const isLast = (n: number) => n === chunks.length - 1
  const sizes = chunks.map((_, n) => sizeOf(n))
  return {
    size: sizes.reduce((sum, size) => sum + FRAME_HEADER_BYTES + size, 0),
    messageSize: Math.max(...sizes),
    write(out, start) {
      const to = new Output(out, start)
      for (const [n, { proposals }] of chunks.entries()) {
        to.frame(sizes[n]!)
        to.field(1, UUID_BYTES)
        to.text(2, correlation, correlation.length)
        if (n === 0) to.bytes(2, options)
        for (const proposal of proposals) writeProposal(to, proposal)
        if (isLast(n)) to.raw(IS_FINAL)
      }
      return to.at
    },
  }
}

type Chunk = { readonly proposals: Proposal[]; size: number }

type Proposal = {
  readonly id: string
  readonly type: string
  readonly typeBytes: number
  readonly contentType: Buffer
  readonly metadata: string
  readonly metadataBytes: number
  readonly data: string | Uint8Array
  readonly dataBytes: number
  readonly size: number
}

function proposalOf({ id, type, data: given, metadata: meta, text, metadataText }: NewEvent): Proposal {
  const isBinary = given instanceof Uint8Array
  const data = isBinary ? given : (text ?? JSON.stringify(given))
  const metadata = metadataText ?? JSON.stringify(meta)
  const contentType = isBinary ? BINARY_ENTRY : JSON_ENTRY
  const typeBytes = Buffer.byteLength(type)
  const metadataBytes = Buffer.byteLength(metadata)
  const dataBytes = typeof data === 'string' ? Buffer.byteLength(data) : data.length
  const size =
    fieldSize(UUID_BYTES) +
    fieldSize(TYPE_KEY.length + fieldSize(typeBytes)) +
    contentType.length +
    fieldSize(metadataBytes) +
    fieldSize(dataBytes)
  return { id, type, typeBytes, contentType, metadata, metadataBytes, data, dataBytes, size }
}

function writeProposal(to: Output, proposal: Proposal): void {
  const { id, type, typeBytes, contentType, metadata, metadataBytes, data, dataBytes, size } = proposal
  to.field(3, size)
  to.field(1, UUID_BYTES)
  to.text(2, id, id.length)
  to.field(2, TYPE_KEY.length + fieldSize(typeBytes))
  to.raw(TYPE_KEY)
  to.text(2, type, typeBytes)
  to.raw(contentType)
  to.text(3, metadata, metadataBytes)
  if (typeof data === 'string') to.text(4, data, dataBytes)
  else to.bytes(4, data)
}

function encodeOptions(stream: string, expected: bigint | 'any', deadlineMs: number): Buffer {
  const name = Buffer.byteLength(stream)
  const revision = expected === 'any' || expected < 0n ? 0 : Number(expected)
  const expectation = expected === 'any' ? EMPTY_ANY : expected < 0n ? EMPTY_NO_STREAM : undefined
  const seconds = Math.floor(deadlineMs / 1000)
  const nanos = (deadlineMs % 1000) * 1_000_000
  const deadlineBytes = 1 + varintSize(seconds) + 1 + varintSize(nanos)
  const size = fieldSize(fieldSize(name)) + (expectation ? 2 : 1 + varintSize(revision)) + fieldSize(deadlineBytes)
  const to = new Output(Buffer.allocUnsafe(size), 0)
  to.field(1, fieldSize(name))
  to.text(3, stream, name)
  if (expectation) to.raw(expectation)
  else to.uint(2, revision)
  // A duration, and not a time: the clocks of client and server may differ.
  to.field(7, deadlineBytes)
  to.uint(1, seconds)
  to.uint(2, nanos)
  return to.out
}

/** Bytes of a field, with a number below 16, that holds so many bytes. */
const fieldSize = (bytes: number): number => 1 + varintSize(bytes) + bytes

/** Writes fields of known sizes into a buffer that has the room. */
class Output {
  readonly out: Buffer
  at: number

  constructor(out: Buffer, at: number) {
    this.out = out
    this.at = at
  }

  frame(size: number): void {
    this.out[this.at] = 0
    this.at = this.out.writeUInt32BE(size, this.at + 1)
  }

  /** Begins a field of so many bytes. */
  field(number: number, size: number): void {
    this.out[this.at] = number * 8 + 2
    this.at = writeVarint(this.out, this.at + 1, size)
  }

  text(number: number, value: string, size: number): void {
    this.field(number, size)
    // A text of as many bytes as characters is ASCII, which is written several times faster.
    this.at += this.out.write(value, this.at, size === value.length ? 'latin1' : 'utf8')
  }

  bytes(number: number, value: Uint8Array): void {
    this.field(number, value.length)
    this.raw(value)
  }

  uint(number: number, value: number): void {
    this.out[this.at] = number * 8
    this.at = writeVarint(this.out, this.at + 1, value)
  }

  raw(value: Uint8Array): void {
    this.out.set(value, this.at)
    this.at += value.length
  }
}

/** The answer to one append. `details` is the name of the message that says more, after the last dot. */
export type AppendAnswer = { readonly number: number } & (
  | { readonly revision: bigint; readonly position: bigint }
  | { readonly code: number; readonly message: string; readonly details: string }
)

/** Decodes one `BatchAppendResp`; `undefined` for one that answers no append. */
export function appendAnswer(bytes: Buffer): AppendAnswer | undefined {
  const response = new MessageReader(bytes)
  let number: number | undefined
  let answer: { revision: bigint; position: bigint } | { code: number; message: string; details: string } | undefined
  while (response.next()) {
    if (response.field === 1) number = correlationNumber(response.message())
    else if (response.field === 2) answer = failure(response.message())
    else if (response.field === 3) answer = success(response.message())
    else response.skip()
  }
  return number === undefined || answer === undefined ? undefined : { number, ...answer }
}

/** Real servers answer with two 64-bit halves, whichever form was sent. */
function correlationNumber(uuid: MessageReader): number | undefined {
  let number: number | undefined
  while (uuid.next()) {
    if (uuid.field === 1) {
      const halves = uuid.message()
      while (halves.next()) {
        if (halves.field === 2) number = Number(halves.uint64() & 0xffff_ffff_ffffn)
        else halves.skip()
      }
    } else if (uuid.field === 2) number = Number.parseInt(uuid.string().slice(-CORRELATION_DIGITS), 16)
    else uuid.skip()
  }
  return number
}

function success(message: MessageReader): { revision: bigint; position: bigint } {
  let revision = -1n
  let position = 0n
  while (message.next()) {
    if (message.field === 1) revision = message.uint64()
    else if (message.field === 3) {
      const place = message.message()
      while (place.next()) {
        if (place.field === 1) position = place.uint64()
        else place.skip()
      }
    } else message.skip()
  }
  return { revision, position }
}

function failure(message: MessageReader): { code: number; message: string; details: string } {
  let code = 0
  let text = ''
  let details = ''
  while (message.next()) {
    if (message.field === 1) code = message.uint()
    else if (message.field === 2) text = message.string()
    else if (message.field === 3) {
      const more = message.message()
      while (more.next()) {
        if (more.field === 1) details = more.string().split('.').at(-1)!
        else more.skip()
      }
    } else message.skip()
  }
  return { code, message: text, details }
}
