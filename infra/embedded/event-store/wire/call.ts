/** The server's side of one gRPC call over an HTTP/2 stream: messages in, messages out, one status at the end. */
import { constants, type IncomingHttpHeaders, type ServerHttp2Stream } from 'node:http2'
import { gunzipSync } from 'node:zlib'
import { framed, MessageSplitter, percentEncoded, Status } from '../../../wire/grpc.ts'
import { MalformedMessage } from '../../../wire/protobuf.ts'
import { GrpcError } from './grpc-error.ts'

const MESSAGE_BYTES_MAX = 16 * 1024 * 1024
/** Bytes of a call that the socket has not taken yet, from which on the sender waits: enough to keep it busy. */
const UNSENT_BYTES_MAX = 256 * 1024
/** How long a client may go on sending after its call was answered, before the stream is closed. */
const STOP_PATIENCE_MS = 1000
/** A trailer is cut here, so that the headers of an answer stay within what clients accept. */
const TRAILER_CHARACTERS_MAX = 1000
const UNIT_MS: Readonly<Record<string, number>> = { H: 3_600_000, M: 60_000, S: 1000, m: 1, u: 1e-3, n: 1e-6 }
const TIMER_MS_MAX = 2 ** 31 - 1
const RESPONSE = { ':status': 200, 'content-type': 'application/grpc' }

/** One call; an error that a handler throws ends the call and leaves the connection alone. */
export class Call {
  readonly headers: IncomingHttpHeaders
  /** Called with each request message; the handler sets it before it returns. */
  onMessage: (message: Buffer) => void = () => {}
  /** Called when the client has sent everything. */
  onEnd: () => void = () => {}
  /** Called once when the call is over, for any reason. */
  onClose: () => void = () => {}
  /** Called with bytes that Node was sending when the call was cut off. */
  onAbandoned: (bytes: number) => void = () => {}
  isOver = false
  readonly #stream: ServerHttp2Stream
  readonly #splitter: MessageSplitter
  #unsent = 0
  #wake: (() => void) | undefined
  #deadline: NodeJS.Timeout | undefined

  constructor(stream: ServerHttp2Stream, headers: IncomingHttpHeaders) {
    this.#stream = stream
    this.headers = headers
    this.#splitter = new MessageSplitter({
      check: checkLength,
      decompress: message => inflated(message, headers),
    })
    stream.on('data', (chunk: Buffer) => this.#guarded(() => this.#receive(chunk)))
    stream.on('end', () => this.#guarded(() => this.onEnd()))
    stream.on('error', () => {})
    stream.on('close', () => this.#closed())
    this.#startDeadline()
  }

  /** Sends framed messages; answers undefined unless the socket is behind, else a promise of its having caught up. */
  send(parts: readonly Buffer[]): Promise<void> | undefined {
    if (this.isOver) return undefined
    this.#respond()
    if (parts.length > 1) this.#stream.cork()
    for (const part of parts) {
      this.#unsent += part.length
      this.#stream.write(part, error => this.#sent(part.length, error))
    }
    if (parts.length > 1) this.#stream.uncork()
    return this.isBehind ? this.drained() : undefined
  }

  /** Whether the socket is behind with what was sent. */
  get isBehind(): boolean {
    return this.#unsent > UNSENT_BYTES_MAX
  }

  /** Resolves when the socket has taken most of what was sent, or the call is over. */
  drained(): Promise<void> {
    if (this.isOver || this.#unsent <= UNSENT_BYTES_MAX / 2) return Promise.resolve()
    return new Promise(resolve => {
      this.#wake = () => {
        this.#wake = undefined
        resolve()
      }
    })
  }

  /** Reads no more of the request until `resume`. */
  pause(): void {
    this.#stream.pause()
  }

  resume(): void {
    this.#stream.resume()
  }

  /** Answers a single message and OK. */
  reply(message: Uint8Array): void {
    if (this.isOver) return
    void this.send([framed(message)])
    this.end()
  }

  /** Ends the call with OK. */
  end(): void {
    this.#finish(Status.ok, '', {})
  }

  /** Ends the call with the status of the error. */
  fail(error: unknown): void {
    if (error instanceof GrpcError) this.#finish(error.status, error.message, error.trailers)
    else if (error instanceof MalformedMessage) this.#finish(Status.invalidArgument, error.message, {})
    else this.#finish(Status.internal, error instanceof Error ? error.message : String(error), {})
  }

  #sent(bytes: number, error: Error | null | undefined): void {
    this.#unsent -= bytes
    // Node calls back without an error for a write that it had under way when the stream was destroyed.
    if (!error && this.#stream.destroyed) this.onAbandoned(bytes)
    if (this.#unsent <= UNSENT_BYTES_MAX / 2) this.#wake?.()
  }

  #respond(): void {
    if (!this.#stream.headersSent) this.#stream.respond(RESPONSE, { waitForTrailers: true })
  }

  #finish(status: number, message: string, trailers: Readonly<Record<string, string>>): void {
    if (this.isOver) return
    this.#over()
    if (this.#stream.destroyed || this.#stream.closed) return
    const fields = {
      ...Object.fromEntries(Object.entries(trailers).map(([key, value]) => [key, trailer(value)])),
      'grpc-status': String(status),
      ...(message && { 'grpc-message': trailer(message) }),
    }
    if (!this.#stream.headersSent) {
      this.#stream.respond({ ...RESPONSE, ...fields }, { endStream: true })
      this.#stopReceiving()
      return
    }
    this.#stream.once('wantTrailers', () => {
      this.#stream.sendTrailers(fields)
      this.#stopReceiving()
    })
    this.#stream.end()
  }

  /** Drops what a client still sends after the answer, and closes the stream when it does not stop. */
  #stopReceiving(): void {
    this.#stream.resume()
    if (this.#stream.readableEnded) return
    const timer = setTimeout(() => this.#stream.close(constants.NGHTTP2_NO_ERROR), STOP_PATIENCE_MS)
    timer.unref()
    this.#stream.once('close', () => clearTimeout(timer))
  }

  #receive(chunk: Buffer): void {
    this.#splitter.push(chunk)
    for (let message = this.#splitter.next(); message; message = this.#splitter.next()) {
      this.onMessage(message)
      if (this.isOver) return
    }
  }

  #guarded(action: () => void): void {
    if (this.isOver) return
    try {
      action()
    } catch (error) {
      this.fail(error)
    }
  }

  #startDeadline(): void {
    const timeout = this.headers['grpc-timeout']
    const ms = typeof timeout === 'string' ? timeoutMs(timeout) : undefined
    if (ms === undefined || ms > TIMER_MS_MAX) return
    this.#deadline = setTimeout(() => this.#finish(Status.deadlineExceeded, 'Deadline Exceeded', {}), ms)
  }

  #over(): void {
    this.isOver = true
    clearTimeout(this.#deadline)
    this.#splitter.clear()
    this.#wake?.()
    this.onClose()
  }

  #closed(): void {
    if (!this.isOver) this.#over()
    this.#wake?.()
  }
}

function checkLength(length: number): void {
  if (length > MESSAGE_BYTES_MAX)
    throw new GrpcError(Status.resourceExhausted, 'Received message exceeds the maximum configured message size.')
}

function inflated(message: Buffer, headers: IncomingHttpHeaders): Buffer {
  if (headers['grpc-encoding'] !== 'gzip')
    throw new GrpcError(Status.unimplemented, 'Messages may be compressed with gzip only')
  try {
    return gunzipSync(message, { maxOutputLength: MESSAGE_BYTES_MAX })
  } catch (error) {
    throw new GrpcError(Status.invalidArgument, `The message cannot be decompressed: ${(error as Error).message}`)
  }
}

function timeoutMs(text: string): number | undefined {
  const match = /^(\d{1,8})([HMSmun])$/.exec(text)
  return match ? Number(match[1]) * UNIT_MS[match[2]!]! : undefined
}

/** The text as a trailer can hold it: ASCII, and not too long. */
const trailer = (text: string): string =>
  percentEncoded(text.length > TRAILER_CHARACTERS_MAX ? `${text.slice(0, TRAILER_CHARACTERS_MAX)}…` : text)
