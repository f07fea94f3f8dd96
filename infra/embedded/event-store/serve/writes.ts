import { MalformedMessage, Reader } from '../../../wire/protobuf.ts'
import { DamagedBlock } from '../log/block.ts'
import type { NewEvent } from '../log/frame.ts'
import { type Call, GrpcError, Status } from '../wire/call.ts'
import {
  appendSuccess,
  appendTooLarge,
  appendWrongVersion,
  type BatchFailure,
  batchBadRequest,
  batchFailure,
  batchNotStored,
  batchStreamDeleted,
  batchSuccess,
  batchTimeout,
  batchTooLarge,
  batchWrongVersion,
  deleteSuccess,
  deleteWrongVersion,
  MAX_APPEND_BYTES,
  streamDeleted,
} from '../wire/responses.ts'
import { invalid, proposedEvent, type StreamWrite, uuid, writeOptions } from '../wire/write-request.ts'
import type { Writer } from '../write/committer.ts'
import type { WriteResult } from '../write/decide.ts'

/** Decided and not on disk yet: beyond this, calls are no longer read until the disk has caught up. */
const BACKLOG_BYTES_MAX = 32 * 1024 * 1024
/** Chunks of batches that were begun and not finished, per call. */
const UNFINISHED_BYTES_MAX = 64 * 1024 * 1024
/** A deadline so near cannot be met. */
const DEADLINE_MS_MIN = 1

const APPEND_EXPECTATION = 'event_store.client.streams.AppendReq+Options+ExpectedStreamRevisionOneofCase'
const BATCH_EXPECTATION = 'event_store.client.streams.BatchAppendReq+Options+ExpectedStreamPositionOneofCase'
const DELETE_EXPECTATION = 'event_store.client.streams.DeleteReq+Options+ExpectedStreamRevisionOneofCase'

/** Append: the options first, then one message an event; decided when the client has sent all. */
export function append(call: Call, writer: Writer): void {
  let options: StreamWrite | undefined
  const events: NewEvent[] = []
  let dataBytes = 0
  let bytes = 0
  call.onMessage = message => {
    bytes += message.length
    if (bytes > UNFINISHED_BYTES_MAX) throw tooMuchUnfinished()
    const reader = new Reader(message)
    let content = 0
    while (reader.next()) {
      if (reader.field === 1) {
        if (options) throw invalid('The options of an append must be sent once')
        options = writeOptions(reader.message(), APPEND_EXPECTATION)
        content++
      } else if (reader.field === 2) {
        if (!options) throw invalid('The options of an append must be sent before its events')
        const event = proposedEvent(reader.message())
        dataBytes += event.data.length
        if (dataBytes <= MAX_APPEND_BYTES) events.push(event)
        content++
      } else reader.skip()
    }
    if (content === 0) throw invalid('The request holds neither options nor an event')
  }
  call.onEnd = () => {
    if (options === undefined) throw invalid('The options of the append are missing')
    if (dataBytes > MAX_APPEND_BYTES) throw appendTooLarge()
    const { stream, expected } = options
    writer.append(stream, expected.code, events, (error, result) => {
      if (error || !result) call.fail(engineError(error))
      else if (result.kind === 'written') call.reply(appendSuccess(result))
      else if (result.kind === 'wrong') call.reply(appendWrongVersion(result.current, expected))
      else call.fail(streamDeleted(stream))
    })
  }
}

/** Delete and Tombstone: their requests and answers have the same fields. */
export function remove(call: Call, writer: Writer, hard: boolean): void {
  unary(call, message => {
    const reader = new Reader(message)
    let options: StreamWrite | undefined
    while (reader.next()) {
      if (reader.field === 1) options = writeOptions(reader.message(), DELETE_EXPECTATION)
      else reader.skip()
    }
    if (options === undefined) throw invalid('The options are missing')
    const { stream, expected } = options
    const settle = (error: Error | undefined, result?: WriteResult): void => {
      if (error || !result) call.fail(engineError(error))
      else if (result.kind === 'written') call.reply(deleteSuccess(result))
      else if (result.kind === 'wrong') call.fail(deleteWrongVersion(stream, expected, result.current))
      else call.fail(streamDeleted(stream))
    }
    if (hard) writer.tombstone(stream, expected.code, settle)
    else writer.delete(stream, expected.code, settle)
  })
}

/** Collects the one message of a request. */
export function unary(call: Call, handle: (message: Buffer) => void): void {
  let received: Buffer | undefined
  call.onMessage = message => {
    if (received) throw invalid('The request must be a single message')
    received = message
  }
  call.onEnd = () => {
    if (received === undefined) throw invalid('The request is empty')
    handle(received)
  }
}

interface Batch {
  readonly correlation: Buffer
  options: (StreamWrite & { deadlineMs: number | undefined }) | undefined
  events: NewEvent[]
  dataBytes: number
  bytes: number
  problem: string | undefined
}

/** BatchAppend: many appends over one call, each answered on its own; an error in one leaves the call open. */
export class BatchAppend {
  private readonly call: Call
  private readonly writer: Writer
  private readonly batches = new Map<string, Batch>()
  private unfinishedBytes = 0
  private unanswered = 0
  private hasEnded = false
  private answers: Buffer[] = []

  constructor(call: Call, writer: Writer) {
    this.call = call
    this.writer = writer
    call.onMessage = message => this.receive(message)
    call.onEnd = () => {
      this.hasEnded = true
      this.endWhenAnswered()
    }
  }

  private receive(message: Buffer): void {
    const { correlation, options, proposals, isFinal } = batchRequest(message)
    const key = correlation.toString('latin1')
    const batch = this.batches.get(key) ?? {
      correlation,
      options: undefined,
      events: [],
      dataBytes: 0,
      bytes: 0,
      problem: undefined,
    }
    this.gather(batch, options, proposals)
    if (!isFinal) {
      this.batches.set(key, batch)
      batch.bytes += message.length
      this.unfinishedBytes += message.length
      if (this.unfinishedBytes > UNFINISHED_BYTES_MAX) throw tooMuchUnfinished()
      return
    }
    this.batches.delete(key)
    this.unfinishedBytes -= batch.bytes
    this.unanswered++
    this.decide(batch)
    if (this.writer.backlogBytes > BACKLOG_BYTES_MAX) this.waitForRoom()
  }

  private gather(batch: Batch, options: Reader | undefined, proposals: Reader[]): void {
    try {
      if (options) batch.options = writeOptions(options, BATCH_EXPECTATION)
      for (const proposal of proposals) {
        const event = proposedEvent(proposal)
        batch.dataBytes += event.data.length
        if (batch.dataBytes <= MAX_APPEND_BYTES) batch.events.push(event)
      }
    } catch (error) {
      if (!(error instanceof GrpcError || error instanceof MalformedMessage)) throw error
      batch.problem ??= error.message
    }
  }

  private decide(batch: Batch): void {
    const { options } = batch
    const failure = failureBefore(batch)
    if (failure || !options) {
      this.refuse(batch, options?.stream ?? '', failure ?? batchBadRequest('The options are missing'))
      return
    }
    const { stream, expected } = options
    this.writer.append(stream, expected.code, batch.events, (error, result) => {
      if (error || !result) this.refuse(batch, stream, batchNotStored(engineError(error).message))
      else if (result.kind === 'written') this.answer(batchSuccess(batch.correlation, stream, result))
      else if (result.kind === 'wrong') this.refuse(batch, stream, batchWrongVersion(result.current, expected))
      else this.refuse(batch, stream, batchStreamDeleted(stream))
    })
  }

  private refuse(batch: Batch, stream: string, failure: BatchFailure): void {
    this.answer(batchFailure(batch.correlation, stream, failure))
  }

  /** A commit settles many batches at once: their answers leave together. */
  private answer(frame: Buffer): void {
    this.unanswered--
    this.answers.push(frame)
    if (this.answers.length === 1) queueMicrotask(() => this.sendAnswers())
  }

  private sendAnswers(): void {
    const frames = this.answers
    this.answers = []
    const wait = this.call.send([frames.length === 1 ? frames[0]! : Buffer.concat(frames)])
    this.endWhenAnswered()
    if (wait) this.pauseUntil(wait)
  }

  private endWhenAnswered(): void {
    if (this.hasEnded && this.unanswered === 0 && this.answers.length === 0) this.call.end()
  }

  private waitForRoom(): void {
    this.pauseUntil(this.writer.room())
  }

  private pauseUntil(ready: Promise<void>): void {
    this.call.pause()
    void ready.then(() => this.call.resume())
  }
}

/** What is wrong with a batch, whatever its stream looks like. */
function failureBefore(batch: Batch): BatchFailure | undefined {
  if (batch.problem !== undefined) return batchBadRequest(batch.problem)
  if (batch.correlation.length === 0) return batchBadRequest('The correlation id is missing')
  const deadlineMs = batch.options?.deadlineMs
  if (deadlineMs !== undefined && deadlineMs <= DEADLINE_MS_MIN) return batchTimeout()
  return batch.dataBytes > MAX_APPEND_BYTES ? batchTooLarge() : undefined
}

interface BatchRequest {
  correlation: Buffer
  options: Reader | undefined
  proposals: Reader[]
  isFinal: boolean
}

function batchRequest(message: Buffer): BatchRequest {
  const request: BatchRequest = { correlation: Buffer.alloc(0), options: undefined, proposals: [], isFinal: false }
  const reader = new Reader(message)
  while (reader.next()) {
    if (reader.field === 1) {
      request.correlation = reader.view()
      uuid(new Reader(request.correlation))
    } else if (reader.field === 2) request.options = reader.message()
    else if (reader.field === 3) request.proposals.push(reader.message())
    else if (reader.field === 4) request.isFinal = reader.bool()
    else reader.skip()
  }
  return request
}

function tooMuchUnfinished(): GrpcError {
  return new GrpcError(Status.resourceExhausted, `More than ${UNFINISHED_BYTES_MAX} bytes were sent and not finished`)
}

function engineError(error: Error | undefined): GrpcError {
  const status = error instanceof DamagedBlock ? Status.dataLoss : Status.unavailable
  return new GrpcError(status, `The event could not be stored: ${error?.message ?? 'no reason given'}`)
}
