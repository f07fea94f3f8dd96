const HEADER_BYTES = 5
/** Larger than any event: the server takes 16 MiB at most. */
const MESSAGE_BYTES_MAX = 17 * 1024 * 1024

/** Cuts what arrives into gRPC messages: a byte that says whether it is compressed, four of length, and the message. */
export class MessageSplitter {
  #parts: Buffer[] = []
  #length = 0
  /** Bytes that must be there before it is worth looking again. */
  #wanted = HEADER_BYTES

  /** The messages that are complete now, as views of what arrived. Throws on what this side never asked for. */
  push(chunk: Buffer): readonly Buffer[] {
    this.#parts.push(chunk)
    this.#length += chunk.length
    if (this.#length < this.#wanted) return []
    const messages: Buffer[] = []
    const bytes = this.#parts.length === 1 ? chunk : Buffer.concat(this.#parts)
    let at = 0
    this.#wanted = HEADER_BYTES
    while (bytes.length - at >= HEADER_BYTES) {
      if (bytes[at] !== 0) throw new Error('the event store sent a compressed message, which nobody asked for')
      const length = bytes.readUInt32BE(at + 1)
      if (length > MESSAGE_BYTES_MAX) throw new Error(`the event store sent a message of ${length} bytes`)
      const end = at + HEADER_BYTES + length
      if (end > bytes.length) {
        this.#wanted = HEADER_BYTES + length
        break
      }
      messages.push(bytes.subarray(at + HEADER_BYTES, end))
      at = end
    }
    this.#parts = at === bytes.length ? [] : [bytes.subarray(at)]
    this.#length = bytes.length - at
    return messages
  }
}
