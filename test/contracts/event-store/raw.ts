/**
 * A gRPC client that hides nothing: it sends any bytes and shows every message, status and trailer. Its frames are its
 * own, and its messages come from the generated classes of the stock client, so that a fault of the server's encoding
 * shows.
 */
import { type ClientHttp2Session, type ClientHttp2Stream, connect } from 'node:http2'
import shared from '@eventstore/db-client/generated/shared_pb.js'
import streamsService from '@eventstore/db-client/generated/streams_grpc_pb.js'
import pb from '@eventstore/db-client/generated/streams_pb.js'

export { pb, shared }

export type Message = {
  serializeBinary(): Uint8Array
}

export type Answer = {
  readonly messages: Buffer[]
  readonly status: number | undefined
  readonly message: string
  readonly trailers: Readonly<Record<string, string>>
}

export const Status = {
  ok: 0,
  unknown: 2,
  invalidArgument: 3,
  deadlineExceeded: 4,
  resourceExhausted: 8,
  failedPrecondition: 9,
  aborted: 10,
  unimplemented: 12,
  unavailable: 14,
} as const

export function frame(message: Message | Uint8Array): Buffer {
  const body = message instanceof Uint8Array ? message : message.serializeBinary()
  const head = Buffer.alloc(5)
  head.writeUInt32BE(body.length, 1)
  return Buffer.concat([head, body])
}

export function streamsPath(method: 'read' | 'append' | 'batchAppend' | 'delete' | 'tombstone'): string {
  return streamsService.StreamsService[method].path
}

/** One call under way. */
export class RawCall {
  readonly stream: ClientHttp2Stream
  readonly messages: Buffer[] = []
  readonly done: Promise<Answer>
  readonly #waiting: { count: number; resolve: () => void }[] = []
  #pending = Buffer.alloc(0)
  #fields: Record<string, string> = {}

  constructor(session: ClientHttp2Session, path: string, headers: Record<string, string> = {}) {
    this.stream = session.request({
      ':method': 'POST',
      ':path': path,
      'content-type': 'application/grpc',
      te: 'trailers',
      ...headers,
    })
    const collect = (from: object): void => {
      for (const [key, value] of Object.entries(from)) this.#fields[key] = String(value)
    }
    this.stream.on('response', collect)
    this.stream.on('trailers', collect)
    this.stream.on('data', (chunk: Buffer) => this.#receive(chunk))
    this.stream.on('error', () => {})
    this.done = new Promise(resolve => this.stream.on('close', () => resolve(this.#answer())))
    void this.done.then(() => this.#settle())
  }

  send(...messages: (Message | Uint8Array)[]): this {
    this.stream.write(Buffer.concat(messages.map(frame)))
    return this
  }

  end(): this {
    this.stream.end()
    return this
  }

  /** Resolves when so many messages have come, or the call is over. */
  async received(count: number): Promise<Buffer[]> {
    if (this.messages.length < count && !this.stream.closed)
      await new Promise<void>(resolve => this.#waiting.push({ count, resolve }))
    return this.messages
  }

  cancel(): void {
    this.stream.close(8)
  }

  #receive(chunk: Buffer): void {
    this.#pending = Buffer.concat([this.#pending, chunk])
    while (this.#pending.length >= 5 && this.#pending.length >= 5 + this.#pending.readUInt32BE(1)) {
      const end = 5 + this.#pending.readUInt32BE(1)
      this.messages.push(this.#pending.subarray(5, end))
      this.#pending = this.#pending.subarray(end)
    }
    this.#settle()
  }

  #settle(): void {
    const isOver = this.stream.closed
    for (const { count, resolve } of this.#waiting) if (isOver || this.messages.length >= count) resolve()
  }

  #answer(): Answer {
    const { 'grpc-status': status, 'grpc-message': message = '' } = this.#fields
    return {
      messages: this.messages,
      status: status === undefined ? undefined : Number(status),
      message: decodeURIComponent(message),
      trailers: this.#fields,
    }
  }
}

export class RawClient {
  readonly session: ClientHttp2Session

  constructor(url: string) {
    this.session = connect(url.replace(/^esdb(\+discover)?:/, 'http:').replace(/\?.*$/, ''), { maxSessionMemory: 1000 })
    this.session.on('error', () => {})
  }

  call(path: string, headers?: Record<string, string>): RawCall {
    return new RawCall(this.session, path, headers)
  }

  /** Sends messages, ends, and waits for the answer. */
  ask(path: string, ...messages: (Message | Uint8Array)[]): Promise<Answer> {
    const call = this.call(path)
    if (messages.length > 0) call.send(...messages)
    return call.end().done
  }

  close(): void {
    this.session.destroy()
  }
}
