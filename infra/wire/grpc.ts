/**
 * What both sides of a gRPC connection share: status codes, frames around messages, and the escaping of texts in
 * trailers.
 *
 * Source: https://github.com/grpc/grpc/blob/master/doc/PROTOCOL-HTTP2.md
 */
import type { MessageBuilder } from './protobuf.ts'

/** A byte that says whether the message is compressed, and four of its length. */
export const FRAME_HEADER_BYTES = 5

/** The status codes that are in use here. */
export const Status = {
  ok: 0,
  cancelled: 1,
  unknown: 2,
  invalidArgument: 3,
  deadlineExceeded: 4,
  notFound: 5,
  alreadyExists: 6,
  resourceExhausted: 8,
  failedPrecondition: 9,
  aborted: 10,
  unimplemented: 12,
  internal: 13,
  unavailable: 14,
  dataLoss: 15,
} as const

export type SplitterOptions = {
  /** Throws for a message that is too long, or may not be compressed; called before the message has come. */
  readonly check: (length: number, isCompressed: boolean) => void
  readonly decompress?: (message: Buffer) => Buffer
}

/** Cuts what arrives into messages: `push` a chunk, then call `next` until it answers undefined. */
export class MessageSplitter {
  readonly #options: SplitterOptions
  #parts: Buffer[] = []
  /** Bytes of all parts. */
  #length = 0
  /** Offset in the first part that has been read up to. */
  #at = 0
  /** Bytes that must be there before it is worth looking again. */
  #wanted = FRAME_HEADER_BYTES

  constructor(options: SplitterOptions) {
    this.#options = options
  }

  push(chunk: Buffer): void {
    if (this.#at === this.#length) this.clear()
    this.#parts.push(chunk)
    this.#length += chunk.length
  }

  /** The next message that is complete, as a view of what arrived; throws for one that may not be sent. */
  next(): Buffer | undefined {
    if (this.#length - this.#at < this.#wanted) return undefined
    if (this.#parts.length > 1) this.#join()
    const bytes = this.#parts[0]!
    const length = bytes.readUInt32BE(this.#at + 1)
    const isCompressed = bytes[this.#at] !== 0
    this.#options.check(length, isCompressed)
    const start = this.#at + FRAME_HEADER_BYTES
    const end = start + length
    if (end > this.#length) {
      this.#wanted = FRAME_HEADER_BYTES + length
      return undefined
    }
    this.#at = end
    this.#wanted = FRAME_HEADER_BYTES
    const message = bytes.subarray(start, end)
    return isCompressed && this.#options.decompress ? this.#options.decompress(message) : message
  }

  /** Forgets what has arrived and was not taken. */
  clear(): void {
    this.#parts = []
    this.#length = 0
    this.#at = 0
    this.#wanted = FRAME_HEADER_BYTES
  }

  #join(): void {
    this.#parts[0] = this.#parts[0]!.subarray(this.#at)
    this.#parts = [Buffer.concat(this.#parts)]
    this.#length -= this.#at
    this.#at = 0
  }
}

/** A message in its frame. */
export function framed(message: Uint8Array): Buffer {
  const frame = Buffer.allocUnsafe(FRAME_HEADER_BYTES + message.length)
  frame[0] = 0
  frame.writeUInt32BE(message.length, 1)
  frame.set(message, FRAME_HEADER_BYTES)
  return frame
}

/** A message in its frame, written where it is to stand. */
export function framedMessage(message: MessageBuilder): Buffer {
  const frame = message.finish(FRAME_HEADER_BYTES)
  frame[0] = 0
  frame.writeUInt32BE(frame.length - FRAME_HEADER_BYTES, 1)
  return frame
}

/** The text with everything percent-encoded that a trailer may not hold. */
export const percentEncoded = (text: string): string =>
  text.replace(/[^\x20-\x24\x26-\x7e]/gu, char =>
    [...Buffer.from(char)].map(byte => `%${byte.toString(16).toUpperCase().padStart(2, '0')}`).join(''),
  )

/** The text that was percent-encoded, or the text itself where it is not. */
export function percentDecoded(text: string): string {
  try {
    return decodeURIComponent(text)
  } catch {
    return text
  }
}
