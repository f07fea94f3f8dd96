/** One BatchAppend call, on a connection of its own. */
import type { ClientHttp2Session, ClientHttp2Stream } from 'node:http2'
import { parseConnectionString } from '@eventstore/db-client/dist/Client/parseConnectionString.js'
import type { StoredEvent } from '../../domain/kernel/event.ts'
import { MessageSplitter, percentDecoded } from '../wire/grpc.ts'
import { type AppendAnswer, appendAnswer } from './append-messages.ts'
import { callHeaders, inWords, keepPinging, openSession } from './connection.ts'
import { type Part, readEvents, readPositions } from './stream-read.ts'

const BATCH_APPEND = '/event_store.client.streams.Streams/BatchAppend'
/** As the client has it, unless the connection string says otherwise. */
const PING_MS = 10_000
const ANSWER_BYTES_MAX = 1024 * 1024

/** How a call ended. */
export type CallEnd = {
  readonly error: Error
  /** The gRPC status, if one came. */
  readonly status?: number | undefined
  /** Where the leader is, `host:port`, if the node is not and says so. */
  readonly leader?: string | undefined
}

export type BatchCallEvents = {
  readonly onAnswer: (answer: AppendAnswer) => void
  /** All that was sent is answered. */
  readonly onRest: () => void
  /** There is room again after `isBehind`. */
  readonly onRoom: () => void
  /** The node is about to close the connection: it answers what it has and takes no more. */
  readonly onLeaving: () => void
  /** Called once, unless the call was closed. */
  readonly onEnd: (end: CallEnd) => void
}

export class BatchCall {
  /** When the node was last heard of; of the same clock as `performance.now()`. */
  heardAt = performance.now()
  readonly #session: ClientHttp2Session
  readonly #stream: ClientHttp2Stream
  readonly #events: BatchCallEvents
  readonly #url: string
  readonly #ping: NodeJS.Timeout | undefined
  #unanswered = 0
  #isLeaving = false
  #isOver = false
  #fields: Record<string, unknown> = {}

  constructor(url: string, node: string, events: BatchCallEvents) {
    this.#events = events
    this.#url = url
    const { keepAliveInterval = PING_MS } = parseConnectionString(url)
    this.#session = openSession(url, node)
    this.#session.on('error', error => this.end(inWords(error)))
    this.#session.on('close', () => this.end(new Error('the event store closed the connection')))
    this.#session.on('goaway', () => this.#leave())
    this.#stream = this.#session.request({ ...callHeaders(url, BATCH_APPEND), ...requiresLeader(url) })
    this.#receive()
    if (keepAliveInterval < 0) return
    const silent = () => this.end(new Error(`the event store did not answer a ping in ${keepAliveInterval} ms`))
    this.#ping = keepPinging(this.#session, keepAliveInterval, silent)
  }

  /** Whether appends that were sent are not answered. */
  get isAtWork(): boolean {
    return this.#unanswered > 0
  }

  /** Whether what was sent has not left yet: more would only pile up here. */
  get isBehind(): boolean {
    return this.#stream.writableNeedDrain
  }

  /** Sends frames of so many appends. */
  send(frames: Buffer, appends: number): void {
    this.#unanswered += appends
    this.#stream.write(frames)
  }

  /** Positions of events of a stream, read over the same connection. */
  positions(part: Part): Promise<readonly bigint[]> {
    return readPositions(this.#session, this.#url, part)
  }

  /** Events of a stream, read over the same connection. */
  read(part: Part): Promise<readonly StoredEvent[]> {
    return readEvents(this.#session, this.#url, part)
  }

  close(): void {
    this.#isOver = true
    clearInterval(this.#ping)
    this.#stream.close()
    this.#session.destroy()
  }

  end(error: Error): void {
    if (this.#isOver) return
    this.close()
    const { 'grpc-status': status, 'leader-endpoint-host': host, 'leader-endpoint-port': port } = this.#fields
    this.#events.onEnd({
      error,
      status: status === undefined ? undefined : Number(status),
      leader: host !== undefined && port !== undefined ? `${host}:${port}` : undefined,
    })
  }

  #receive(): void {
    const stream = this.#stream
    const splitter = new MessageSplitter({ check: checkAnswer })
    const note = (headers: object) => Object.assign(this.#fields, headers)
    stream.on('response', headers => {
      this.heardAt = performance.now()
      note(headers)
    })
    stream.on('trailers', note)
    stream.on('drain', this.#events.onRoom)
    stream.on('data', (chunk: Buffer) => {
      this.heardAt = performance.now()
      try {
        splitter.push(chunk)
        for (let message = splitter.next(); message; message = splitter.next()) this.#answered(message)
      } catch (error) {
        this.end(error as Error)
      }
    })
    stream.on('error', error => this.end(inWords(error)))
    // A node that ends the call in order leaves our side of it open, and says nothing more.
    for (const event of ['end', 'close']) stream.on(event, () => this.end(new Error(this.#ending())))
  }

  #answered(message: Buffer): void {
    const answer = appendAnswer(message)
    if (!answer) return
    this.#unanswered -= 1
    this.#events.onAnswer(answer)
    if (this.#unanswered > 0) return
    this.#events.onRest()
    this.#closeIfDone()
  }

  #leave(): void {
    if (this.#isOver) return
    this.#isLeaving = true
    this.#events.onLeaving()
    this.#closeIfDone()
  }

  #closeIfDone(): void {
    if (this.#isLeaving && this.#unanswered === 0) this.close()
  }

  #ending(): string {
    const { ':status': http, 'grpc-status': status, 'grpc-message': message = '' } = this.#fields
    const reason = message === '' ? '' : `: ${percentDecoded(String(message))}`
    if (status !== undefined) return `the event store ended the appends with gRPC status ${status}${reason}`
    if (http !== undefined && http !== 200) return `the event store answered with HTTP status ${http}`
    return 'the event store broke the appends off'
  }
}

/** In a cluster an append goes to the leader itself, unless the connection string prefers other nodes. */
function requiresLeader(url: string): { 'requires-leader'?: string } {
  const { dnsDiscover, hosts, nodePreference = 'leader' } = parseConnectionString(url)
  const isCluster = dnsDiscover || hosts.length > 1
  return isCluster && nodePreference === 'leader' ? { 'requires-leader': 'true' } : {}
}

function checkAnswer(length: number, isCompressed: boolean): void {
  if (isCompressed) throw new Error('the event store sent a compressed message, which nobody asked for')
  if (length > ANSWER_BYTES_MAX) throw new Error(`the event store sent an answer of ${length} bytes`)
}
