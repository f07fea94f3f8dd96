/** The lines of a file that comes in pieces. */
import { AuditFault } from './bundle.ts'

/** The longest line that an export can have: an event is at most a few megabytes. */
const LINE_BYTES_MAX = 64_000_000

/** The bytes of a line without its end; the last one of a file may lack that. */
export type Line = { readonly bytes: Buffer; readonly ended: boolean }

/** Makes lines of the pieces of a file. */
export class LineSplitter {
  readonly #each: (line: Line) => void
  readonly #parts: Buffer[] = []
  #size = 0

  constructor(each: (line: Line) => void) {
    this.#each = each
  }

  push(bytes: Uint8Array, name: string): void {
    const chunk = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
    let from = 0
    for (let end = chunk.indexOf(10); end >= 0; end = chunk.indexOf(10, from)) {
      this.#give(chunk.subarray(from, end), true)
      from = end + 1
    }
    if (from === chunk.length) return
    this.#parts.push(chunk.subarray(from))
    this.#size += chunk.length - from
    if (this.#size > LINE_BYTES_MAX) throw new AuditFault('line_invalid', 'A line is too long.', { file: name })
  }

  /** Gives what stands behind the last line end. */
  end(): void {
    if (this.#size > 0) this.#give(Buffer.alloc(0), false)
  }

  #give(last: Buffer, ended: boolean): void {
    const bytes = this.#size === 0 ? last : Buffer.concat([...this.#parts, last])
    this.#parts.length = 0
    this.#size = 0
    this.#each({ bytes, ended })
  }
}
