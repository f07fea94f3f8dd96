import { constants, type IncomingHttpHeaders, type ServerHttp2Stream } from 'node:http2'
import { gunzipSync } from 'node:zlib'
import { MalformedMessage } from '../../../wire/protobuf.ts'
import { DamagedBlock } from '../log/block.ts'
import { GRPC_HEADER } from '../log/frame.ts'

/** gRPC over HTTP/2 by hand: https://github.com/grpc/grpc/blob/master/doc/PROTOCOL-HTTP2.md */

export const Status = {
  ok: 0,
  unknown: 2,
  invalidArgument: 3,
  deadlineExceeded: 4,
  notFound: 5,
  alreadyExists: 6,
  permissionDenied: 7,
  resourceExhausted: 8,
  failedPrecondition: 9,
  aborted: 10,
  unimplemented: 12,
  internal: 13,
  unavailable: 14,
  dataLoss: 15,
} as const

/** An answer other than OK; `trailers` tell the client which of its error classes it is. */
export class GrpcError extends Error {
  readonly status: number
  readonly trailers: Readonly<Record<string, string>>

  constructor(status: number, message: string, trailers: Readonly<Record<string, string>> = {}) {
    super(message)
    this.status = status
    this.trailers = trailers
  }
}

export const MESSAGE_BYTES_MAX = 16 * 1024 * 1024
/** Bytes handed to the socket and not taken by it yet, per call: enough to keep it busy, and bounded. */
const UNSENT_BYTES_MAX = 256 * 1024
/** A client ends its side of an answered call at once; one that does not is made to. */
const STOP_PATIENCE_MS = 1000

/** One call: messages in, messages out, one status. Never throws into the session. */
export class Call {
  readonly path: string
  readonly headers: IncomingHttpHeaders
  /** Called with each request message; set it before the first turn ends. */
  onMessage: (message: Buffer) => void = () => {}
  /** Called when the client has sent everything. */
  onEnd: () => void = () => {}
  /** Called once when the call is over, for whatever reason. */
  onClose: () => void = () => {}
  /** Called with bytes that Node was sending when the call was cut off. */
  onAbandoned: (bytes: number) => void = () => {}
  isOver = false
  private readonly stream: ServerHttp2Stream
  private received: Buffer[] = []
  private receivedBytes = 0
  private unsent = 0
  private wake: (() => void) | undefined
  private timer: NodeJS.Timeout | undefined

  constructor(stream: ServerHttp2Stream, headers: IncomingHttpHeaders) {
    this.stream = stream
    this.headers = headers
    this.path = String(headers[constants.HTTP2_HEADER_PATH])
    stream.on('data', (chunk: Buffer) => this.guarded(() => this.receive(chunk)))
    stream.on('end', () => this.guarded(() => this.onEnd()))
    stream.on('error', () => {})
    stream.on('close', () => this.closed())
    this.startDeadline()
  }

  /** Sends framed messages; resolves at once unless the socket is behind, then when it has caught up. */
  send(parts: readonly Buffer[]): Promise<void> | undefined {
    if (this.isOver) return undefined
    this.respond()
    if (parts.length > 1) this.stream.cork()
    for (const part of parts) {
      this.unsent += part.length
      this.stream.write(part, error => this.sent(part.length, error))
    }
    if (parts.length > 1) this.stream.uncork()
    return this.isBehind ? this.drained() : undefined
  }

  /** True while the socket is behind with what was sent. */
  get isBehind(): boolean {
    return this.unsent > UNSENT_BYTES_MAX
  }

  /** Resolves when the socket has taken what was sent, or the call is over. */
  drained(): Promise<void> {
    if (this.isOver || this.unsent <= UNSENT_BYTES_MAX / 2) return Promise.resolve()
    return new Promise(resolve => {
      this.wake = () => {
        this.wake = undefined
        resolve()
      }
    })
  }

  pause(): void {
    this.stream.pause()
  }

  resume(): void {
    this.stream.resume()
  }

  /** Answers a single message and OK. */
  reply(message: Buffer): void {
    if (this.isOver) return
    void this.send([framed(message)])
    this.end()
  }

  end(): void {
    this.finish(Status.ok, '', {})
  }

  fail(error: unknown): void {
    if (error instanceof GrpcError) this.finish(error.status, error.message, error.trailers)
    else if (error instanceof MalformedMessage) this.finish(Status.invalidArgument, error.message, {})
    else if (error instanceof DamagedBlock) this.finish(Status.dataLoss, error.message, {})
    else this.finish(Status.internal, error instanceof Error ? error.message : String(error), {})
  }

  private sent(bytes: number, error: Error | null | undefined): void {
    this.unsent -= bytes
    // A write that Node had taken over is called done even then.
    if (!error && this.stream.destroyed) this.onAbandoned(bytes)
    if (this.unsent <= UNSENT_BYTES_MAX / 2) this.wake?.()
  }

  private respond(): void {
    if (this.stream.headersSent) return
    this.stream.respond({ ':status': 200, 'content-type': 'application/grpc' }, { waitForTrailers: true })
  }

  private finish(status: number, message: string, trailers: Readonly<Record<string, string>>): void {
    if (this.isOver) return
    this.over()
    if (this.stream.destroyed || this.stream.closed) return
    const fields = {
      ...encoded(trailers),
      'grpc-status': String(status),
      ...(message && { 'grpc-message': percent(message) }),
    }
    if (!this.stream.headersSent) {
      this.stream.respond({ ':status': 200, 'content-type': 'application/grpc', ...fields }, { endStream: true })
      this.stopReceiving()
      return
    }
    this.stream.once('wantTrailers', () => {
      this.stream.sendTrailers(fields)
      this.stopReceiving()
    })
    this.stream.end()
  }

  /** The answer is complete: a client that goes on sending is not listened to, and after a while told to stop. */
  private stopReceiving(): void {
    this.stream.resume()
    if (this.stream.readableEnded) return
    const timer = setTimeout(() => this.stream.close(constants.NGHTTP2_NO_ERROR), STOP_PATIENCE_MS)
    timer.unref()
    this.stream.once('close', () => clearTimeout(timer))
  }

  private receive(chunk: Buffer): void {
    if (this.isOver) return
    this.received.push(chunk)
    this.receivedBytes += chunk.length
    while (this.receivedBytes >= GRPC_HEADER) {
      const header = this.peek(GRPC_HEADER)
      const length = header.readUInt32BE(1)
      if (length > MESSAGE_BYTES_MAX)
        throw new GrpcError(Status.resourceExhausted, 'Received message exceeds the maximum configured message size.')
      if (this.receivedBytes < GRPC_HEADER + length) return
      const message = this.take(GRPC_HEADER + length).subarray(GRPC_HEADER)
      this.onMessage(header[0] === 1 ? inflated(message, this.headers) : message)
      if (this.isOver) return
    }
  }

  private peek(length: number): Buffer {
    if (this.received[0]!.length < length) this.received = [Buffer.concat(this.received)]
    return this.received[0]!
  }

  private take(length: number): Buffer {
    if (this.received[0]!.length < length) this.received = [Buffer.concat(this.received)]
    const first = this.received[0]!
    if (first.length === length) this.received.shift()
    else this.received[0] = first.subarray(length)
    this.receivedBytes -= length
    return first.subarray(0, length)
  }

  private guarded(action: () => void): void {
    if (this.isOver) return
    try {
      action()
    } catch (error) {
      this.fail(error)
    }
  }

  private startDeadline(): void {
    const timeout = this.headers['grpc-timeout']
    const ms = typeof timeout === 'string' ? timeoutMs(timeout) : undefined
    if (ms === undefined || ms > 2 ** 31 - 1) return
    const expire = () => this.finish(Status.deadlineExceeded, 'Deadline Exceeded', {})
    this.timer = setTimeout(expire, ms)
  }

  private over(): void {
    this.isOver = true
    clearTimeout(this.timer)
    this.received = []
    this.wake?.()
    this.onClose()
  }

  private closed(): void {
    if (!this.isOver) this.over()
    this.wake?.()
  }
}

export function framed(message: Buffer): Buffer {
  const frame = Buffer.allocUnsafe(GRPC_HEADER + message.length)
  frame[0] = 0
  frame.writeUInt32BE(message.length, 1)
  frame.set(message, GRPC_HEADER)
  return frame
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

const UNIT_MS: Readonly<Record<string, number>> = { H: 3_600_000, M: 60_000, S: 1000, m: 1, u: 1e-3, n: 1e-6 }

function timeoutMs(text: string): number | undefined {
  const match = /^(\d{1,8})([HMSmun])$/.exec(text)
  return match ? Number(match[1]) * UNIT_MS[match[2]!]! : undefined
}

/** Trailer values are ASCII: anything else, a stream's name for one, is sent percent-encoded. */
function encoded(trailers: Readonly<Record<string, string>>): Record<string, string> {
  return Object.fromEntries(Object.entries(trailers).map(([key, value]) => [key, percent(value)]))
}

function percent(text: string): string {
  const cut = text.length > 1000 ? `${text.slice(0, 1000)}…` : text
  return cut.replace(/[^\x20-\x24\x26-\x7e]/gu, char =>
    [...Buffer.from(char)].map(byte => `%${byte.toString(16).toUpperCase().padStart(2, '0')}`).join(''),
  )
}
