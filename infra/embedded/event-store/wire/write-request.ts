/**
 * Decodes the requests that write, and refuses what a real server refuses. The options and events of appends are read
 * field by field, because they come with every event; a deletion goes through the generated classes.
 */
import { isUtf8 } from 'node:buffer'
import { decoded, streams } from '../../../wire/generated.ts'
import { Status } from '../../../wire/grpc.ts'
import type { MessageReader } from '../../../wire/protobuf.ts'
import { GrpcError, invalid } from './grpc-error.ts'
import { NIL_UUID, type ProposedEvent, UUID } from './proposed-event.ts'
import { ANY, type Expectation, NO_STREAM, STREAM_EXISTS } from './revisions.ts'
import { isReserved, readIdentifier, streamName } from './stream-name.ts'

const PACKAGE = 'event_store.client.streams'
const APPEND_EXPECTATION = `${PACKAGE}.AppendReq+Options+ExpectedStreamRevisionOneofCase`
const BATCH_EXPECTATION = `${PACKAGE}.BatchAppendReq+Options+ExpectedStreamPositionOneofCase`
const DELETE_EXPECTATION = `${PACKAGE}.DeleteReq+Options+ExpectedStreamRevisionOneofCase`
const JSON_TYPE = Buffer.from('application/json')
const NOTHING: Buffer = Buffer.alloc(0)

/** The stream that is to be written, and what the client expects of it. */
export type StreamWrite = {
  readonly stream: string
  readonly expected: Expectation
}

/** A deadline is the time that is left, in milliseconds. */
export type BatchOptions = StreamWrite & { readonly deadlineMs: number | undefined }

export const appendOptions = (message: MessageReader): StreamWrite => writeOptions(message, APPEND_EXPECTATION)

export const batchOptions = (message: MessageReader): BatchOptions => writeOptions(message, BATCH_EXPECTATION)

/** Decodes DeleteReq or TombstoneReq, which have the same fields. */
export function deleteOptions(message: Buffer): StreamWrite {
  const options = decoded(streams.DeleteReq, message).getOptions()
  if (options === undefined) throw invalid('The options are missing')
  const name = options.getStreamIdentifier()?.getStreamName_asU8()
  const stream = streamName(name && Buffer.from(name))
  let expected: Expectation | undefined
  if (options.hasRevision()) expected = revisionExpected(BigInt(options.getRevision()))
  else if (options.hasNoStream()) expected = stateExpected(NO_STREAM)
  else if (options.hasAny()) expected = stateExpected(ANY)
  else if (options.hasStreamExists()) expected = stateExpected(STREAM_EXISTS)
  return { stream, expected: checked(stream, expected, DELETE_EXPECTATION) }
}

/** Decodes a ProposedMessage of Append or BatchAppend. */
export function proposedEvent(message: MessageReader): ProposedEvent {
  let id: string | undefined
  let type: Buffer | undefined
  let contentType: Buffer | undefined
  let metadata: Buffer = NOTHING
  let data: Buffer = NOTHING
  while (message.next()) {
    if (message.field === 1) id = uuid(message.message())
    else if (message.field === 2) {
      const [key, value] = mapEntry(message.message())
      if (key === 'type') type = value
      else if (key === 'content-type') contentType = value
    } else if (message.field === 3) metadata = message.view()
    else if (message.field === 4) data = message.view()
    else message.skip()
  }
  if (id === undefined) throw invalid('The event id is missing')
  if (id === NIL_UUID) throw invalid('The event id must not be all zero')
  if (type === undefined || contentType === undefined) throw missing(type === undefined ? 'type' : 'content-type')
  if (type.length === 0) throw invalid('The event type must not be empty')
  if (!isUtf8(type)) throw invalid('The event type is not valid UTF-8')
  return { id, type, json: contentType.equals(JSON_TYPE), metadata, data }
}

/** Decodes a UUID message to lower-case text. */
export function uuid(message: MessageReader): string {
  let text = ''
  while (message.next()) {
    if (message.field === 1) text = structuredId(message.message())
    else if (message.field === 2) text = message.string()
    else message.skip()
  }
  if (!UUID.test(text)) throw invalid(`'${text}' is not a UUID`)
  return text.toLowerCase()
}

/** The options of Append and BatchAppend number their fields alike; only those of BatchAppend have a deadline. */
function writeOptions(message: MessageReader, oneof: string): BatchOptions {
  let stream: string | undefined
  let expected: Expectation | undefined
  let deadlineMs: number | undefined
  while (message.next()) {
    if (message.field === 1) stream = readIdentifier(message.message())
    else if (message.field === 2) expected = revisionExpected(message.uint64())
    else if (message.field === 3) expected = skipped(message, NO_STREAM)
    else if (message.field === 4) expected = skipped(message, ANY)
    else if (message.field === 5) expected = skipped(message, STREAM_EXISTS)
    else if (message.field === 6) deadlineMs = milliseconds(message.message()) - Date.now()
    else if (message.field === 7) deadlineMs = milliseconds(message.message())
    else message.skip()
  }
  if (stream === undefined) throw invalid('The stream name must not be empty')
  return { stream, expected: checked(stream, expected, oneof), deadlineMs }
}

/** The expectation, unless it is missing or the stream may not be written. */
function checked(stream: string, expected: Expectation | undefined, oneof: string): Expectation {
  if (isReserved(stream)) throw invalid(`The stream name '${stream}' is reserved`)
  if (expected === undefined) throw invalid(`'None' is not a valid ${oneof}`)
  return expected
}

const revisionExpected = (sent: bigint): Expectation => ({ code: Number(sent), sent })

const stateExpected = (code: number): Expectation => ({ code, sent: BigInt.asUintN(64, BigInt(code)) })

function skipped(message: MessageReader, code: number): Expectation {
  message.skip()
  return stateExpected(code)
}

/** A Timestamp or Duration in milliseconds. */
function milliseconds(message: MessageReader): number {
  let seconds = 0n
  let nanos = 0n
  while (message.next()) {
    if (message.field === 1) seconds = message.int64()
    else if (message.field === 2) nanos = message.int64()
    else message.skip()
  }
  return Number(seconds) * 1000 + Number(nanos) / 1e6
}

/** The text of an id that was sent as two signed 64-bit halves. */
function structuredId(message: MessageReader): string {
  let high = 0n
  let low = 0n
  while (message.next()) {
    if (message.field === 1) high = message.int64()
    else if (message.field === 2) low = message.int64()
    else message.skip()
  }
  const hex = [high, low].map(half => BigInt.asUintN(64, half).toString(16).padStart(16, '0')).join('')
  return [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20)].join('-')
}

function mapEntry(message: MessageReader): [key: string, value: Buffer] {
  let key = ''
  let value: Buffer = NOTHING
  while (message.next()) {
    if (message.field === 1) key = message.string()
    else if (message.field === 2) value = message.view()
    else message.skip()
  }
  return [key, value]
}

function missing(property: string): GrpcError {
  return new GrpcError(Status.invalidArgument, `Required Metadata Property '${property}' is missing`, {
    exception: 'missing-required-metadata-property',
    'required-metadata-properties': 'type,content-type',
  })
}
