/** Serves the calls that write: Append, BatchAppend, Delete and Tombstone. */
import { Status } from '../../../wire/grpc.ts'
import { MalformedMessage, MessageReader } from '../../../wire/protobuf.ts'
import type { Call } from '../wire/call.ts'
import { GrpcError, invalid } from '../wire/grpc-error.ts'
import type { ProposedEvent } from '../wire/proposed-event.ts'
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
import {
  appendOptions,
  type BatchOptions,
  batchOptions,
  deleteOptions,
  proposedEvent,
  type StreamWrite,
  uuid,
} from '../wire/write-request.ts'
import type { Committer } from '../write/committer.ts'
import type { WriteResult } from '../write/decide.ts'
import { writeFailure } from './failure.ts'

/** Bytes decided and not on disk yet; beyond them, calls are no longer read until the disk has caught up. */
const BACKLOG_BYTES_MAX = 32 * 1024 * 1024
/** Bytes of one call that belong to writes which were begun and not finished. */
const UNFINISHED_BYTES_MAX = 64 * 1024 * 1024
/** A nearer deadline cannot be met. */
const DEADLINE_MS_MIN = 1

/** Append: the options first, then one message an event; decided when the client has sent all. */
export function append(call: Call, committer: Committer): void {
  let options: StreamWrite | undefined
  const events: ProposedEvent[] = []
  let dataBytes = 0
  let bytes = 0
  call.onMessage = message => {
    bytes += message.length
    if (bytes > UNFINISHED_BYTES_MAX) throw tooMuchUnfinished()
    const request = new MessageReader(message)
    let content = 0
    while (request.next()) {
      if (request.field === 1) {
        if (options) throw invalid('The options of an append must be sent once')
        options = appendOptions(request.message())
        content++
      } else if (request.field === 2) {
        if (!options) throw invalid('The options of an append must be sent before its events')
        const event = proposedEvent(request.message())
        dataBytes += event.data.length
        if (dataBytes <= MAX_APPEND_BYTES) events.push(event)
        content++
      } else request.skip()
    }
    if (content === 0) throw invalid('The request holds neither options nor an event')
  }
  call.onEnd = () => {
    if (options === undefined) throw invalid('The options of the append are missing')
    if (dataBytes > MAX_APPEND_BYTES) throw appendTooLarge()
    const { stream, expected } = options
    committer.append(stream, expected.code, events, (error, result) => {
      if (error || !result) call.fail(writeFailure(error))
      else if (result.kind === 'written') call.reply(appendSuccess(result))
      else if (result.kind === 'wrong') call.reply(appendWrongVersion(result.current, expected))
      else call.fail(streamDeleted(stream))
    })
  }
}

/** Delete, or Tombstone when it is `hard`: their requests and answers have the same fields. */
export function remove(call: Call, committer: Committer, hard: boolean): void {
  unary(call, message => {
    const { stream, expected } = deleteOptions(message)
    const settle = (error: Error | undefined, result?: WriteResult): void => {
      if (error || !result) call.fail(writeFailure(error))
      else if (result.kind === 'written') call.reply(deleteSuccess(result))
      else if (result.kind === 'wrong') call.fail(deleteWrongVersion(stream, expected, result.current))
      else call.fail(streamDeleted(stream))
    }
    if (hard) committer.tombstone(stream, expected.code, settle)
    else committer.delete(stream, expected.code, settle)
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

/** One append, from its first chunk to its last. */
type Batch = {
  readonly correlation: Buffer
  options: BatchOptions | undefined
  events: ProposedEvent[]
  dataBytes: number
  bytes: number
  problem: string | undefined
}

/** BatchAppend: many appends over one call, each answered on its own; an error in one leaves the call open. */
export class BatchAppend {
  readonly #call: Call
  readonly #committer: Committer
  readonly #batches = new Map<string, Batch>()
  #unfinishedBytes = 0
  #unanswered = 0
  #hasEnded = false
  #answers: Buffer[] = []

  constructor(call: Call, committer: Committer) {
    this.#call = call
    this.#committer = committer
    call.onMessage = message => this.#receive(message)
    call.onEnd = () => {
      this.#hasEnded = true
      this.#endWhenAnswered()
    }
  }

  #receive(message: Buffer): void {
    const { correlation, options, proposals, isFinal } = batchRequest(message)
    const key = correlation.toString('latin1')
    const batch = this.#batches.get(key) ?? {
      correlation,
      options: undefined,
      events: [],
      dataBytes: 0,
      bytes: 0,
      problem: undefined,
    }
    gather(batch, options, proposals)
    if (!isFinal) {
      this.#batches.set(key, batch)
      batch.bytes += message.length
      this.#unfinishedBytes += message.length
      if (this.#unfinishedBytes > UNFINISHED_BYTES_MAX) throw tooMuchUnfinished()
      return
    }
    this.#batches.delete(key)
    this.#unfinishedBytes -= batch.bytes
    this.#unanswered++
    this.#decide(batch)
    if (this.#committer.backlogBytes > BACKLOG_BYTES_MAX) this.#pauseUntil(this.#committer.room())
  }

  #decide(batch: Batch): void {
    const { options } = batch
    const failure = failureBefore(batch)
    if (failure || !options) {
      this.#refuse(batch, options?.stream ?? '', failure ?? batchBadRequest('The options are missing'))
      return
    }
    const { stream, expected } = options
    this.#committer.append(stream, expected.code, batch.events, (error, result) => {
      if (error || !result) this.#refuse(batch, stream, batchNotStored(writeFailure(error).message))
      else if (result.kind === 'written') this.#answer(batchSuccess(batch.correlation, stream, result))
      else if (result.kind === 'wrong') this.#refuse(batch, stream, batchWrongVersion(result.current, expected))
      else this.#refuse(batch, stream, batchStreamDeleted(stream))
    })
  }

  #refuse(batch: Batch, stream: string, failure: BatchFailure): void {
    this.#answer(batchFailure(batch.correlation, stream, failure))
  }

  /** Gathers the answers of the batches that one commit settles, so that they leave together. */
  #answer(frame: Buffer): void {
    this.#unanswered--
    this.#answers.push(frame)
    if (this.#answers.length === 1) queueMicrotask(() => this.#sendAnswers())
  }

  #sendAnswers(): void {
    const frames = this.#answers
    this.#answers = []
    const wait = this.#call.send([frames.length === 1 ? frames[0]! : Buffer.concat(frames)])
    this.#endWhenAnswered()
    if (wait) this.#pauseUntil(wait)
  }

  #endWhenAnswered(): void {
    if (this.#hasEnded && this.#unanswered === 0 && this.#answers.length === 0) this.#call.end()
  }

  #pauseUntil(ready: Promise<void>): void {
    this.#call.pause()
    void ready.then(() => this.#call.resume())
  }
}

/** Adds a chunk to its batch; what is wrong with it is kept for the answer. */
function gather(batch: Batch, options: MessageReader | undefined, proposals: readonly MessageReader[]): void {
  try {
    if (options) batch.options = batchOptions(options)
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

/** What is wrong with a batch in every state of its stream. */
function failureBefore(batch: Batch): BatchFailure | undefined {
  if (batch.problem !== undefined) return batchBadRequest(batch.problem)
  if (batch.correlation.length === 0) return batchBadRequest('The correlation id is missing')
  const deadlineMs = batch.options?.deadlineMs
  if (deadlineMs !== undefined && deadlineMs <= DEADLINE_MS_MIN) return batchTimeout()
  return batch.dataBytes > MAX_APPEND_BYTES ? batchTooLarge() : undefined
}

type BatchRequest = {
  correlation: Buffer
  options: MessageReader | undefined
  proposals: MessageReader[]
  isFinal: boolean
}

function batchRequest(message: Buffer): BatchRequest {
  const request: BatchRequest = { correlation: Buffer.alloc(0), options: undefined, proposals: [], isFinal: false }
  const reader = new MessageReader(message)
  while (reader.next()) {
    if (reader.field === 1) {
      request.correlation = reader.view()
      uuid(new MessageReader(request.correlation))
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
