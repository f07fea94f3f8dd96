import { isUtf8 } from 'node:buffer'
import type { Reader } from '../../../wire/protobuf.ts'
import type { NewEvent } from '../log/frame.ts'
import { ANY, NO_STREAM, STREAM_EXISTS } from '../write/decide.ts'
import { GrpcError, Status } from './call.ts'

/**
 * Decodes what the writing requests of the Streams service share, and refuses what a real server refuses, hangs on or
 * dies of.
 */

/** What the client expects of a stream; `sent` is the number for the answer when it is a revision. */
export interface Expectation {
  readonly code: number
  readonly sent: bigint
}

export interface StreamWrite {
  readonly stream: string
  readonly expected: Expectation
}

export const NIL_UUID = '00000000-0000-0000-0000-000000000000'
const NOTHING: Buffer = Buffer.alloc(0)
export const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i

export function invalid(message: string): GrpcError {
  return new GrpcError(Status.invalidArgument, message)
}

/** The name in a StreamIdentifier message. */
export function streamName(reader: Reader): string {
  let name = NOTHING
  while (reader.next()) {
    if (reader.field === 3) name = reader.view()
    else reader.skip()
  }
  if (name.length === 0) throw invalid('The stream name must not be empty')
  if (!isUtf8(name)) throw invalid('The stream name is not valid UTF-8')
  return name.toString('utf8')
}

/** A UUID message as lower-case text. */
export function uuid(reader: Reader): string {
  let text = ''
  let high = 0n
  let low = 0n
  let isStructured = false
  while (reader.next()) {
    if (reader.field === 2) text = reader.string()
    else if (reader.field === 1) {
      isStructured = true
      const structured = reader.message()
      while (structured.next()) {
        if (structured.field === 1) high = structured.int64()
        else if (structured.field === 2) low = structured.int64()
        else structured.skip()
      }
    } else reader.skip()
  }
  if (isStructured) text = textOf(high, low)
  if (!UUID.test(text)) throw invalid(`'${text}' is not a UUID`)
  return text.toLowerCase()
}

function textOf(high: bigint, low: bigint): string {
  const hex =
    BigInt.asUintN(64, high).toString(16).padStart(16, '0') + BigInt.asUintN(64, low).toString(16).padStart(16, '0')
  return [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20)].join('-')
}

/** The options of Append, BatchAppend, Delete and Tombstone; all four number their fields alike. */
export function writeOptions(reader: Reader, oneof: string): StreamWrite & { deadlineMs: number | undefined } {
  let stream: string | undefined
  let expected: Expectation | undefined
  let deadlineMs: number | undefined
  while (reader.next()) {
    if (reader.field === 1) stream = streamName(reader.message())
    else if (reader.field === 2) expected = revisionExpected(reader.uint64())
    else if (reader.field === 3) expected = skipped(reader, NO_STREAM)
    else if (reader.field === 4) expected = skipped(reader, ANY)
    else if (reader.field === 5) expected = skipped(reader, STREAM_EXISTS)
    else if (reader.field === 6) deadlineMs = milliseconds(reader.message()) - Date.now()
    else if (reader.field === 7) deadlineMs = milliseconds(reader.message())
    else reader.skip()
  }
  if (stream === undefined) throw invalid('The stream name must not be empty')
  if (stream === '$$') throw invalid("'$$' is no stream name: it would be the metadata of a stream without a name")
  if (expected === undefined) throw invalid(`'None' is not a valid ${oneof}`)
  return { stream, expected, deadlineMs }
}

function revisionExpected(sent: bigint): Expectation {
  return { code: Number(sent), sent }
}

function skipped(reader: Reader, code: number): Expectation {
  reader.skip()
  return { code, sent: BigInt.asUintN(64, BigInt(code)) }
}

/** A Timestamp or Duration in milliseconds. */
function milliseconds(reader: Reader): number {
  let seconds = 0n
  let nanos = 0n
  while (reader.next()) {
    if (reader.field === 1) seconds = reader.int64()
    else if (reader.field === 2) nanos = reader.int64()
    else reader.skip()
  }
  return Number(seconds) * 1000 + Number(nanos) / 1e6
}

/** A ProposedMessage of Append or BatchAppend. */
export function proposedEvent(reader: Reader): NewEvent {
  let id: string | undefined
  let type: Buffer | undefined
  let contentType: Buffer | undefined
  let metadata: Buffer = NOTHING
  let data: Buffer = NOTHING
  while (reader.next()) {
    if (reader.field === 1) id = uuid(reader.message())
    else if (reader.field === 2) {
      const [key, value] = mapEntry(reader.message())
      if (key === 'type') type = value
      else if (key === 'content-type') contentType = value
    } else if (reader.field === 3) metadata = reader.view()
    else if (reader.field === 4) data = reader.view()
    else reader.skip()
  }
  if (id === undefined) throw invalid('The event id is missing')
  if (id === NIL_UUID) throw invalid('The event id must not be all zero')
  if (type === undefined || contentType === undefined) throw missing(type === undefined ? 'type' : 'content-type')
  if (type.length === 0) throw invalid('The event type must not be empty')
  if (!isUtf8(type)) throw invalid('The event type is not valid UTF-8')
  return { id, type, json: contentType.equals(JSON_TYPE), metadata, data }
}

const JSON_TYPE = Buffer.from('application/json')

function missing(property: string): GrpcError {
  return new GrpcError(Status.invalidArgument, `Required Metadata Property '${property}' is missing`, {
    exception: 'missing-required-metadata-property',
    'required-metadata-properties': 'type,content-type',
  })
}

function mapEntry(reader: Reader): [string, Buffer] {
  let key = ''
  let value: Buffer = NOTHING
  while (reader.next()) {
    if (reader.field === 1) key = reader.string()
    else if (reader.field === 2) value = reader.view()
    else reader.skip()
  }
  return [key, value]
}
