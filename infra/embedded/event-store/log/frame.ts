/**
 * The stored form of an event, which is its gRPC answer: a length-prefixed frame that holds a ReadResp with the event's
 * RecordedEvent, ids as strings. A reader that resolves nothing copies frames from disk to socket and never decodes.
 * The fields stand in one fixed order, so that `parseFrame` finds what filters and limits need without a general
 * decoder.
 */
import { FRAME_HEADER_BYTES } from '../../../wire/grpc.ts'
import { varintSize, writeVarint } from '../../../wire/protobuf.ts'
import type { ProposedEvent } from '../wire/proposed-event.ts'
import { TOMBSTONE_REVISION } from '../wire/revisions.ts'

/** Bytes of a record beside its name, type, data and metadata: positions grow as in a real server's log. */
const RECORD_OVERHEAD = 90
const TOMBSTONE_VARINT = Buffer.from([0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f])
const ID_FIELD = Buffer.from([0x0a, 0x26, 0x12, 0x24])
const TYPE_KEY = Buffer.from('\n\x04type', 'latin1')
const JSON_ENTRY = mapEntry('content-type', 'application/json')
const BINARY_ENTRY = mapEntry('content-type', 'application/octet-stream')
const CREATED_KEY = Buffer.from('\n\x07created', 'latin1')
const CREATED_DIGITS = 17
const CREATED_SIZE = 2 + CREATED_KEY.length + 2 + CREATED_DIGITS
const ID_LENGTH = 36
const HEAD_SIZE = ID_FIELD.length + ID_LENGTH

/** Where the parts of one frame lie in its buffer. A view is used again for other frames: copy what must last. */
export type FrameView = {
  bytes: Buffer
  /** Start of the frame, and of its gRPC header. */
  start: number
  end: number
  /** The RecordedEvent message. */
  eventStart: number
  eventEnd: number
  idStart: number
  streamStart: number
  streamEnd: number
  revision: number
  position: number
  typeStart: number
  typeEnd: number
  json: boolean
  /** The digits of the creation time, 100 ns ticks since 1970. */
  createdStart: number
  createdEnd: number
  metadataStart: number
  metadataEnd: number
  dataStart: number
  dataEnd: number
}

/** Length of the record in the log's own arithmetic: positions grow by it. */
export function recordLength(streamBytes: number, event: ProposedEvent): number {
  return RECORD_OVERHEAD + streamBytes + event.type.length + event.data.length + event.metadata.length
}

/** Lengths of the nested messages, each of which stands before its message. */
type Sizes = {
  typeEntry: number
  event: number
  read: number
  frame: number
}

/** The sizes that `writeFrame` needs for one event. */
export function frameSizes(stream: Buffer, revision: number, position: number, event: ProposedEvent): Sizes {
  const type = event.type.length
  const typeEntry = TYPE_KEY.length + 1 + varintSize(type) + type
  const identifier = 1 + varintSize(stream.length) + stream.length
  const positionSize = varintSize(position)
  const eventSize =
    HEAD_SIZE +
    (1 + varintSize(identifier) + identifier) +
    (1 + revisionSize(revision)) +
    2 * (1 + positionSize) +
    (1 + varintSize(typeEntry) + typeEntry) +
    (event.json ? JSON_ENTRY : BINARY_ENTRY).length +
    CREATED_SIZE +
    (1 + varintSize(event.metadata.length) + event.metadata.length) +
    (1 + varintSize(event.data.length) + event.data.length)
  const read = 1 + varintSize(eventSize) + eventSize + 1 + positionSize
  return { typeEntry, event: eventSize, read, frame: FRAME_HEADER_BYTES + 1 + varintSize(read) + read }
}

/** Writes the frame at `at`; `sizes` must come from `frameSizes` with the same arguments. */
export function writeFrame(
  out: Buffer,
  at: number,
  sizes: Sizes,
  stream: Buffer,
  revision: number,
  position: number,
  created: Buffer,
  event: ProposedEvent,
): number {
  let to = at
  out[to] = 0
  out.writeUInt32BE(sizes.frame - FRAME_HEADER_BYTES, to + 1)
  out[to + FRAME_HEADER_BYTES] = 0x0a
  to = writeVarint(out, to + FRAME_HEADER_BYTES + 1, sizes.read)
  out[to] = 0x0a
  to = writeVarint(out, to + 1, sizes.event)
  out.set(ID_FIELD, to)
  to += ID_FIELD.length
  out.write(event.id, to, ID_LENGTH, 'latin1')
  to += ID_LENGTH
  out[to] = 0x12
  to = writeVarint(out, to + 1, 1 + varintSize(stream.length) + stream.length)
  to = writeBytes(out, to, 0x1a, stream)
  out[to++] = 0x18
  if (revision >= TOMBSTONE_REVISION) {
    out.set(TOMBSTONE_VARINT, to)
    to += TOMBSTONE_VARINT.length
  } else to = writeVarint(out, to, revision)
  out[to] = 0x20
  to = writeVarint(out, to + 1, position)
  out[to] = 0x28
  to = writeVarint(out, to + 1, position)
  out[to] = 0x32
  to = writeVarint(out, to + 1, sizes.typeEntry)
  out.set(TYPE_KEY, to)
  to = writeBytes(out, to + TYPE_KEY.length, 0x12, event.type)
  const content = event.json ? JSON_ENTRY : BINARY_ENTRY
  out.set(content, to)
  to += content.length
  out[to] = 0x32
  out[to + 1] = CREATED_SIZE - 2
  out.set(CREATED_KEY, to + 2)
  to = writeBytes(out, to + 2 + CREATED_KEY.length, 0x12, created)
  to = writeBytes(out, to, 0x3a, event.metadata)
  to = writeBytes(out, to, 0x42, event.data)
  out[to] = 0x18
  return writeVarint(out, to + 1, position)
}

/** End of the frame that starts at `at`. */
export function frameEnd(bytes: Buffer, at: number): number {
  return at + FRAME_HEADER_BYTES + bytes.readUInt32BE(at + 1)
}

export function newFrameView(): FrameView {
  return {
    bytes: Buffer.alloc(0),
    start: 0,
    end: 0,
    eventStart: 0,
    eventEnd: 0,
    idStart: 0,
    streamStart: 0,
    streamEnd: 0,
    revision: 0,
    position: 0,
    typeStart: 0,
    typeEnd: 0,
    json: false,
    createdStart: 0,
    createdEnd: 0,
    metadataStart: 0,
    metadataEnd: 0,
    dataStart: 0,
    dataEnd: 0,
  }
}

/** Fills `view` with the layout of the frame at `at`, which `writeFrame` must have written. */
export function parseFrame(bytes: Buffer, at: number, view: FrameView): FrameView {
  view.bytes = bytes
  view.start = at
  view.end = frameEnd(bytes, at)
  varintAt(bytes, at + FRAME_HEADER_BYTES + 1)
  const eventLength = varintAt(bytes, cursor + 1)
  view.eventStart = cursor
  view.eventEnd = cursor + eventLength
  view.idStart = cursor + ID_FIELD.length
  varintAt(bytes, view.idStart + ID_LENGTH + 1)
  const streamLength = varintAt(bytes, cursor + 1)
  view.streamStart = cursor
  view.streamEnd = cursor + streamLength
  view.revision = varintAt(bytes, view.streamEnd + 1)
  view.position = varintAt(bytes, cursor + 1)
  varintAt(bytes, cursor + 1)
  varintAt(bytes, cursor + 1)
  const typeLength = varintAt(bytes, cursor + TYPE_KEY.length + 1)
  view.typeStart = cursor
  view.typeEnd = cursor + typeLength
  view.json = bytes[view.typeEnd + 1] === JSON_ENTRY[1]
  const content = view.json ? JSON_ENTRY.length : BINARY_ENTRY.length
  view.createdStart = view.typeEnd + content + 2 + CREATED_KEY.length + 2
  view.createdEnd = view.createdStart + CREATED_DIGITS
  const metadataLength = varintAt(bytes, view.createdEnd + 1)
  view.metadataStart = cursor
  view.metadataEnd = cursor + metadataLength
  const dataLength = varintAt(bytes, view.metadataEnd + 1)
  view.dataStart = cursor
  view.dataEnd = cursor + dataLength
  return view
}

export function idOf(view: FrameView): string {
  return view.bytes.toString('latin1', view.idStart, view.idStart + ID_LENGTH)
}

export function streamOf(view: FrameView): string {
  return view.bytes.toString('utf8', view.streamStart, view.streamEnd)
}

/** Creation time in milliseconds since 1970. */
export function createdOf(view: FrameView): number {
  return Math.floor(Number(view.bytes.toString('latin1', view.createdStart, view.createdEnd)) / 10_000)
}

/** Length of the record in the log that the frame stands for. */
export function recordLengthOf(view: FrameView): number {
  const stream = view.streamEnd - view.streamStart
  const type = view.typeEnd - view.typeStart
  const metadata = view.metadataEnd - view.metadataStart
  return RECORD_OVERHEAD + stream + type + (view.dataEnd - view.dataStart) + metadata
}

function revisionSize(revision: number): number {
  return revision >= TOMBSTONE_REVISION ? TOMBSTONE_VARINT.length : varintSize(revision)
}

function writeBytes(out: Buffer, at: number, tag: number, bytes: Buffer): number {
  out[at] = tag
  const to = writeVarint(out, at + 1, bytes.length)
  out.set(bytes, to)
  return to + bytes.length
}

function mapEntry(key: string, value: string): Buffer {
  const entry = Buffer.concat([
    Buffer.from([0x0a, key.length]),
    Buffer.from(key),
    Buffer.from([0x12, value.length]),
    Buffer.from(value),
  ])
  return Buffer.concat([Buffer.from([0x32, entry.length]), entry])
}

/** Where the varint that was read last ends: `parseFrame` is one straight line and makes no reader object. */
let cursor = 0

/** Reads a varint that `writeFrame` wrote, without the checks that a message from outside needs. */
function varintAt(bytes: Buffer, at: number): number {
  let offset = at
  let byte = bytes[offset++]!
  let value = byte & 0x7f
  for (let unit = 128; byte >= 0x80; unit *= 128) {
    byte = bytes[offset++]!
    value += (byte & 0x7f) * unit
  }
  cursor = offset
  return value
}
