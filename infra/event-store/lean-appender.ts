/**
 * Appends without a gRPC library in between, on one BatchAppend call. What comes while the server works on others goes
 * together when it has answered them, in one write: the busier the fewer writes, and the larger what is synced at once.
 * The client still decides which node to ask, and the connection string means what it means there.
 *
 * An append is sent once. Whatever ends its call leaves it unknown, so the next call begins with what was not sent yet.
 */
import { type Appended, LostRaceError, type NewEvent } from '../../commands/ports.ts'
import type { StoredEvent } from '../../domain/kernel/event.ts'
import { Status } from '../wire/grpc.ts'
import { type AppendAnswer, type EncodedAppend, encodeAppend } from './append-messages.ts'
import type { Appender, AppenderOptions } from './appender.ts'
import { BatchCall, type CallEnd } from './batch-call.ts'
import { clientAppender } from './client-appender.ts'
import { answered, tooLarge, unanswered, unavailable } from './failures.ts'
import type { Part } from './stream-read.ts'

/** Longest time that appends wait for the answers to others. */
const HOLD_MS = 5

/** A message that the server takes; a larger one would end the call, and with it all other appends. */
const MESSAGE_BYTES_MAX = 16 * 1024 * 1024

/** An append that has no answer yet. */
type Waiting = {
  readonly number: number
  readonly stream: string
  readonly expected: bigint | 'any'
  readonly events: readonly NewEvent[]
  readonly encoded: EncodedAppend
  readonly resolve: (appended: Appended) => void
  readonly reject: (error: unknown) => void
  readonly begunAt: number
  /** Where it was sent. */
  call?: BatchCall
}

/** Connects lazily, and anew after every fault. */
export function leanAppender(options: AppenderOptions): Appender {
  const appender = new LeanAppender(options)
  return {
    append: (stream, expected, events) => appender.append(stream, expected, events),
    positions: (stream, from, count) => appender.positions({ stream, from, count }),
    read: (stream, from, count) => appender.read({ stream, from, count }),
    close: () => appender.close(),
  }
}

class LeanAppender {
  readonly #options: AppenderOptions
  /** All that have no answer, oldest first: the order of their deadlines. */
  readonly #waiting = new Map<number, Waiting>()
  #unsent: Waiting[] = []
  #call: BatchCall | undefined
  /** Names the attempt to connect that is under way: one that was given up may still come to its end. */
  #connecting: symbol | undefined
  /** The leader that a node named which is not. */
  #leader: string | undefined
  /** In the place of the call where the server knows no BatchAppend. */
  #other: Appender | undefined
  #flush: NodeJS.Immediate | undefined
  #deadline: NodeJS.Timeout | undefined
  /** Runs while appends wait for the answers to others. */
  #hold: NodeJS.Timeout | undefined
  #numbers = 0
  #closed = false

  constructor(options: AppenderOptions) {
    this.#options = options
  }

  append(stream: string, expected: bigint | 'any', events: readonly NewEvent[]): Promise<Appended> {
    if (this.#closed) return Promise.reject(unavailable(new Error('the event store is closed')))
    if (this.#other) return this.#other.append(stream, expected, events)
    const number = ++this.#numbers
    const encoded = encodeAppend({ number, stream, expected, events, deadlineMs: this.#options.timeoutMs })
    if (encoded.messageSize > MESSAGE_BYTES_MAX) return Promise.reject(tooLarge())
    return new Promise((resolve, reject) => {
      const begunAt = performance.now()
      const waiting: Waiting = { number, stream, expected, events, encoded, resolve, reject, begunAt }
      this.#waiting.set(number, waiting)
      this.#unsent.push(waiting)
      this.#deadline ??= setTimeout(this.#expire, this.#options.timeoutMs)
      this.#flush ??= setImmediate(this.#turn)
    })
  }

  async positions(part: Part): Promise<readonly bigint[]> {
    const call = this.#call
    return call ? answered(this.#options.timeoutMs, call.positions(part)) : []
  }

  /** Whatever goes wrong, the client may still read: it looks for another node. */
  async read(part: Part): Promise<readonly StoredEvent[] | undefined> {
    const call = this.#call
    return call && answered(this.#options.timeoutMs, call.read(part)).catch(() => undefined)
  }

  close(): void {
    this.#closed = true
    this.#connecting = undefined
    clearImmediate(this.#flush)
    clearTimeout(this.#hold)
    this.#call?.close()
    this.#failAll(() => true, unavailable(new Error('the event store is closed')))
  }

  /** Sends what waits, unless others are under way. */
  readonly #turn = (): void => {
    this.#flush = undefined
    if (!this.#call?.isAtWork) this.#send()
    else if (this.#unsent.length > 0) this.#hold ??= setTimeout(this.#send, HOLD_MS)
  }

  /** Sends all that waits, in one write. */
  readonly #send = (): void => {
    clearTimeout(this.#hold)
    this.#hold = undefined
    const all = this.#unsent.filter(({ number }) => this.#waiting.has(number))
    this.#unsent = all
    if (all.length === 0 || this.#call?.isBehind) return
    if (!this.#call) {
      this.#connect()
      return
    }
    this.#unsent = []
    const out = Buffer.allocUnsafe(all.reduce((sum, { encoded }) => sum + encoded.size, 0))
    let at = 0
    for (const waiting of all) {
      waiting.call = this.#call
      at = waiting.encoded.write(out, at)
    }
    this.#call.send(out, all.length)
  }

  #connect(): void {
    if (this.#connecting) return
    const attempt = Symbol('connecting')
    this.#connecting = attempt
    const { url, client } = this.#options
    const isCurrent = () => this.#connecting === attempt
    const begin = (node: string) => {
      if (!isCurrent()) return
      const call: BatchCall = new BatchCall(url, node, {
        onAnswer: answer => this.#settle(answer),
        onRest: () => this.#next(),
        onRoom: this.#send,
        onLeaving: () => this.#leave(call),
        onEnd: end => this.#ended(call, end),
      })
      this.#connecting = undefined
      this.#call = call
      this.#send()
    }
    const fail = (error: unknown) => {
      if (!isCurrent()) return
      this.#connecting = undefined
      this.#failAll(({ call }) => call === undefined, unavailable(error))
    }
    const leader = this.#leader
    this.#leader = undefined
    // biome-ignore lint/complexity/useLiteralKeys: what is protected is reached by its name
    const node = leader === undefined ? client['resolveUri']() : Promise.resolve(leader)
    node.then(begin).catch(fail)
  }

  /** The node takes no more: what it has is still answered. */
  #leave(call: BatchCall): void {
    if (this.#call === call) this.#call = undefined
    this.#next()
  }

  #next(): void {
    if (this.#unsent.length > 0) this.#flush ??= setImmediate(this.#turn)
  }

  #ended(call: BatchCall, { error, status, leader }: CallEnd): void {
    if (this.#call === call) this.#call = undefined
    this.#leader = leader
    if (status === Status.unimplemented) this.#takeOver(call)
    this.#failAll(waiting => waiting.call === call, unavailable(error))
    this.#next()
  }

  /** The server does not know the call, so that it did nothing of what was sent over it. */
  #takeOver(call: BatchCall): void {
    this.#other = clientAppender(this.#options)
    for (const { number, stream, expected, events, resolve, reject, ...at } of this.#waiting.values()) {
      if (at.call !== undefined && at.call !== call) continue
      this.#waiting.delete(number)
      this.#other.append(stream, expected, events).then(resolve, reject)
    }
  }

  #settle(answer: AppendAnswer): void {
    const waiting = this.#waiting.get(answer.number)
    if (!waiting) return
    this.#waiting.delete(answer.number)
    if ('revision' in answer) waiting.resolve({ revision: answer.revision, position: answer.position })
    else waiting.reject(failureOf(waiting, answer))
  }

  /** Gives up what has waited too long; a call that has said nothing meanwhile is given up with it. */
  readonly #expire = (): void => {
    this.#deadline = undefined
    const { timeoutMs } = this.#options
    for (const waiting of this.#waiting.values()) {
      const left = waiting.begunAt + timeoutMs - performance.now()
      if (left > 0) {
        this.#deadline = setTimeout(this.#expire, left)
        return
      }
      this.#waiting.delete(waiting.number)
      waiting.reject(unanswered(timeoutMs))
      const { call, begunAt } = waiting
      if (call === undefined) this.#connecting = undefined
      else if (call.heardAt < begunAt) call.end(new Error(`the event store said nothing in ${timeoutMs} ms`))
    }
  }

  #failAll(which: (waiting: Waiting) => boolean, error: unknown): void {
    for (const waiting of this.#waiting.values()) {
      if (!which(waiting)) continue
      this.#waiting.delete(waiting.number)
      waiting.reject(error)
    }
    if (this.#waiting.size > 0) return
    clearTimeout(this.#deadline)
    this.#deadline = undefined
  }
}

type Failure = Extract<AppendAnswer, { readonly code: number }>

/** Refusals that say for certain that nothing was appended; after any other one it is unknown. */
const REFUSED = new Set(['StreamDeleted', 'AccessDenied', 'BadRequest', 'InvalidTransaction', 'NotStored'])

function failureOf({ stream }: Waiting, { code, message, details }: Failure): Error {
  if (details === 'WrongExpectedVersion') return new LostRaceError(`${stream} is not at the expected revision`)
  if (details === 'MaximumAppendSizeExceeded') return tooLarge()
  const error = new Error(`the event store refused an append to ${stream} with status ${code}: ${message}`)
  return REFUSED.has(details) ? error : unavailable(error)
}
