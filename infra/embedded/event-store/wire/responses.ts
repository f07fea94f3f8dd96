/**
 * Encodes the answers of the Streams service, and its errors as the clients recognise them. An answer is built field by
 * field: appends need it fast, and the generated classes cannot write the 64 bits of the oldest fields.
 */
import { framedMessage, Status } from '../../../wire/grpc.ts'
import { MessageBuilder } from '../../../wire/protobuf.ts'
import { GrpcError } from './grpc-error.ts'
import { ANY, type Expectation, NO_STREAM, STREAM_EXISTS, TOMBSTONE_REVISION } from './revisions.ts'

export const MAX_APPEND_BYTES = 1_048_576

/** Where a write ended; without a position for events that can no longer be read. */
export type Written = { readonly revision: number; readonly position: number | undefined }

/** Why one append of a BatchAppend failed. */
export type BatchFailure = {
  readonly code: number
  readonly message: string
  /** Name and body of the details: a message of event_store.client. */
  readonly type: string
  readonly details: MessageBuilder
}

export function appendSuccess(written: Written): Buffer {
  return new MessageBuilder().message(1, success(written)).finish()
}

/** The wrong version twice: in the fields of today and in those of servers up to 20.6.0. */
export function appendWrongVersion(current: number, expected: Expectation): Buffer {
  const wrong = new MessageBuilder()
  if (current < 0) wrong.empty(2)
  else wrong.uint(1, revisionNumber(current))
  if (expected.code === ANY) wrong.empty(4)
  else if (expected.code === STREAM_EXISTS) wrong.empty(5)
  else wrong.uint(3, expected.sent)
  if (current < 0) wrong.empty(7)
  else wrong.uint(6, revisionNumber(current))
  if (expected.code === ANY) wrong.empty(9)
  else if (expected.code === STREAM_EXISTS) wrong.empty(10)
  else if (expected.code === NO_STREAM) wrong.empty(11)
  else wrong.uint(8, expected.sent)
  return new MessageBuilder().message(2, wrong).finish()
}

export function appendTooLarge(): GrpcError {
  return new GrpcError(Status.invalidArgument, `Maximum Append Size of ${MAX_APPEND_BYTES} Exceeded.`, {
    exception: 'maximum-append-size-exceeded',
    'maximum-append-size': String(MAX_APPEND_BYTES),
  })
}

/** A framed BatchAppendResp; `correlation` is the id of the request as it came. */
export function batchSuccess(correlation: Buffer, stream: string, written: Written): Buffer {
  const response = new MessageBuilder().bytes(1, correlation).message(3, success(written))
  return framedMessage(response.message(4, identifier(stream)))
}

export function batchFailure(correlation: Buffer, stream: string, failure: BatchFailure): Buffer {
  const any = new MessageBuilder()
    .string(1, `type.googleapis.com/event_store.client.${failure.type}`)
    .message(2, failure.details)
  const status = new MessageBuilder().uint(1, failure.code).string(2, failure.message).message(3, any)
  const response = new MessageBuilder().bytes(1, correlation).message(2, status)
  return framedMessage(response.message(4, identifier(stream)))
}

export function batchWrongVersion(current: number, expected: Expectation): BatchFailure {
  const details = new MessageBuilder()
  if (current < 0) details.empty(2)
  else details.uint(1, revisionNumber(current))
  if (expected.code === ANY) details.empty(4)
  else if (expected.code === STREAM_EXISTS) details.empty(5)
  else if (expected.code === NO_STREAM) details.empty(6)
  else details.uint(3, expected.sent)
  return { code: Status.alreadyExists, message: 'WrongExpectedVersion', type: 'WrongExpectedVersion', details }
}

export function batchStreamDeleted(stream: string): BatchFailure {
  const details = new MessageBuilder().message(1, identifier(stream))
  return { code: Status.notFound, message: 'StreamDeleted', type: 'StreamDeleted', details }
}

export function batchTooLarge(): BatchFailure {
  const name = 'MaximumAppendSizeExceeded'
  return {
    code: Status.invalidArgument,
    message: name,
    type: name,
    details: new MessageBuilder().uint(1, MAX_APPEND_BYTES),
  }
}

export function batchTimeout(): BatchFailure {
  return { code: Status.deadlineExceeded, message: 'Timeout', type: 'Timeout', details: new MessageBuilder() }
}

export function batchBadRequest(message: string): BatchFailure {
  const details = new MessageBuilder().string(1, message)
  return { code: Status.invalidArgument, message: 'BadRequest', type: 'BadRequest', details }
}

/**
 * A failure of the engine: nothing of the append is stored. The stock client drops the message when the details have
 * the type `Unknown`, and keeps it when it does not know the type.
 */
export function batchNotStored(message: string): BatchFailure {
  return { code: Status.unknown, message, type: 'NotStored', details: new MessageBuilder() }
}

/** DeleteResp or TombstoneResp. */
export function deleteSuccess({ position }: Written): Buffer {
  const message = new MessageBuilder()
  return (position === undefined ? message.empty(2) : message.message(1, positionMessage(position))).finish()
}

export function deleteWrongVersion(stream: string, expected: Expectation, current: number): GrpcError {
  const expectedVersion = expected.code < 0 ? String(expected.code) : String(expected.sent)
  return new GrpcError(
    Status.failedPrecondition,
    `Delete failed due to WrongExpectedVersion. Stream: ${stream}, Expected version: ${expectedVersion}, ` +
      `Actual version: ${current}`,
    {
      exception: 'wrong-expected-version',
      'stream-name': stream,
      'expected-version': expectedVersion,
      'actual-version': String(current),
    },
  )
}

/** The stream has a tombstone. */
export function streamDeleted(stream: string): GrpcError {
  return new GrpcError(Status.failedPrecondition, `Event stream '${stream}' is deleted.`, {
    exception: 'stream-deleted',
    'stream-name': stream,
  })
}

// Messages of ReadResp that hold no event, framed.

export const CAUGHT_UP = framedMessage(new MessageBuilder().empty(8))
export const FELL_BEHIND = framedMessage(new MessageBuilder().empty(9))

export function confirmation(subscription: string): Buffer {
  return framedMessage(new MessageBuilder().message(2, new MessageBuilder().string(1, subscription)))
}

export function checkpoint(position: number): Buffer {
  return framedMessage(new MessageBuilder().message(3, positionMessage(position)))
}

export function streamNotFound(stream: string): Buffer {
  return framedMessage(new MessageBuilder().message(4, new MessageBuilder().message(1, identifier(stream))))
}

export function firstStreamPosition(revision: number): Buffer {
  return framedMessage(new MessageBuilder().uint(5, revision))
}

export function lastStreamPosition(revision: number): Buffer {
  return framedMessage(new MessageBuilder().uint(6, revision))
}

/** AppendResp.Success or BatchAppendResp.Success, which have the same fields. */
function success({ revision, position }: Written): MessageBuilder {
  const message = new MessageBuilder()
  if (revision < 0) message.empty(2)
  else message.uint(1, revisionNumber(revision))
  return position === undefined ? message.empty(4) : message.message(3, positionMessage(position))
}

function positionMessage(position: number): MessageBuilder {
  return new MessageBuilder().uint(1, position).uint(2, position)
}

function identifier(stream: string): MessageBuilder {
  return new MessageBuilder().string(3, stream)
}

function revisionNumber(revision: number): number | bigint {
  return revision >= TOMBSTONE_REVISION ? 2n ** 63n - 1n : revision
}
