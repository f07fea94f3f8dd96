import { Writer } from '../../../wire/protobuf.ts'
import { TOMBSTONE_REVISION } from '../log/frame.ts'
import { ANY, NO_STREAM, STREAM_EXISTS, type WriteResult } from '../write/decide.ts'
import { framed, GrpcError, Status } from './call.ts'
import type { Expectation } from './write-request.ts'

/** Encodes the answers of the Streams service, and its errors as the clients recognise them. */

export const MAX_APPEND_BYTES = 1_048_576

type Written = Extract<WriteResult, { kind: 'written' }>

export function positionMessage(position: number | bigint): Writer {
  return new Writer().uint(1, position).uint(2, position)
}

function revisionNumber(revision: number): number | bigint {
  return revision >= TOMBSTONE_REVISION ? 2n ** 63n - 1n : revision
}

/** AppendResp.Success and BatchAppendResp.Success have the same fields. */
function success({ revision, position }: Written): Writer {
  const message = new Writer()
  if (revision < 0) message.empty(2)
  else message.uint(1, revisionNumber(revision))
  return position === undefined ? message.empty(4) : message.message(3, positionMessage(position))
}

export function appendSuccess(written: Written): Buffer {
  return new Writer().message(1, success(written)).finish()
}

/** The wrong version twice: in the fields of today and in those of servers up to 20.6.0. */
export function appendWrongVersion(current: number, expected: Expectation): Buffer {
  const wrong = new Writer()
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
  return new Writer().message(2, wrong).finish()
}

function identifier(stream: string): Writer {
  return new Writer().bytes(3, Buffer.from(stream, 'utf8'))
}

export function batchSuccess(correlation: Buffer, stream: string, written: Written): Buffer {
  return framed(new Writer().bytes(1, correlation).message(3, success(written)).message(4, identifier(stream)).finish())
}

export interface BatchFailure {
  readonly code: number
  readonly message: string
  /** Name and body of the details: a message of event_store.client. */
  readonly type: string
  readonly details: Writer
}

export function batchFailure(correlation: Buffer, stream: string, failure: BatchFailure): Buffer {
  const any = new Writer()
    .string(1, `type.googleapis.com/event_store.client.${failure.type}`)
    .message(2, failure.details)
  const status = new Writer().uint(1, failure.code).string(2, failure.message).message(3, any)
  return framed(new Writer().bytes(1, correlation).message(2, status).message(4, identifier(stream)).finish())
}

export function batchWrongVersion(current: number, expected: Expectation): BatchFailure {
  const details = new Writer()
  if (current < 0) details.empty(2)
  else details.uint(1, revisionNumber(current))
  if (expected.code === ANY) details.empty(4)
  else if (expected.code === STREAM_EXISTS) details.empty(5)
  else if (expected.code === NO_STREAM) details.empty(6)
  else details.uint(3, expected.sent)
  return { code: Status.alreadyExists, message: 'WrongExpectedVersion', type: 'WrongExpectedVersion', details }
}

export function batchStreamDeleted(stream: string): BatchFailure {
  const details = new Writer().message(1, identifier(stream))
  return { code: Status.notFound, message: 'StreamDeleted', type: 'StreamDeleted', details }
}

export function batchTooLarge(): BatchFailure {
  const details = new Writer().uint(1, MAX_APPEND_BYTES)
  const name = 'MaximumAppendSizeExceeded'
  return { code: Status.invalidArgument, message: name, type: name, details }
}

export function batchTimeout(): BatchFailure {
  return { code: Status.deadlineExceeded, message: 'Timeout', type: 'Timeout', details: new Writer() }
}

export function batchBadRequest(message: string): BatchFailure {
  return {
    code: Status.invalidArgument,
    message: 'BadRequest',
    type: 'BadRequest',
    details: new Writer().string(1, message),
  }
}

/**
 * An engine failure: nothing of the append is stored. For details of the type `Unknown` the stock client drops the
 * message; for a type that it does not know it keeps it.
 */
export function batchNotStored(message: string): BatchFailure {
  return { code: Status.unknown, message, type: 'NotStored', details: new Writer() }
}

/** DeleteResp and TombstoneResp. */
export function deleteSuccess({ position }: Written): Buffer {
  const message = new Writer()
  return (position === undefined ? message.empty(2) : message.message(1, positionMessage(position))).finish()
}

export function streamDeleted(stream: string): GrpcError {
  return new GrpcError(Status.failedPrecondition, `Event stream '${stream}' is deleted.`, {
    exception: 'stream-deleted',
    'stream-name': stream,
  })
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

export function appendTooLarge(): GrpcError {
  return new GrpcError(Status.invalidArgument, `Maximum Append Size of ${MAX_APPEND_BYTES} Exceeded.`, {
    exception: 'maximum-append-size-exceeded',
    'maximum-append-size': String(MAX_APPEND_BYTES),
  })
}

// Messages of ReadResp, framed.

export function confirmation(subscription: string): Buffer {
  return framed(new Writer().message(2, new Writer().string(1, subscription)).finish())
}

export function checkpoint(position: number): Buffer {
  return framed(new Writer().message(3, positionMessage(position)).finish())
}

export function streamNotFound(stream: string): Buffer {
  return framed(new Writer().message(4, new Writer().message(1, identifier(stream))).finish())
}

export function firstStreamPosition(revision: number): Buffer {
  return framed(new Writer().uint(5, revision).finish())
}

export function lastStreamPosition(revision: number): Buffer {
  return framed(new Writer().uint(6, revision).finish())
}

export const CAUGHT_UP = framed(new Writer().empty(8).finish())
export const FELL_BEHIND = framed(new Writer().empty(9).finish())
