/** Gathers frames into chunks and sends them no faster than the client takes them. */
import type { FrameView } from '../log/frame.ts'
import type { Slice } from '../log/scan.ts'
import type { Store } from '../log/store.ts'
import type { Call } from '../wire/call.ts'
import { isPlain, type Rendering, rendered, renderedSlice } from './rendering.ts'

const CHUNK_BYTES = 64 * 1024
/** Size from which on it costs less to hand a part over than to copy it. */
const LARGE_PART_BYTES = 4096
/** Steps between two pauses in which the process serves others. */
const TURNS_PER_YIELD = 16

export class Outlet {
  readonly call: Call
  readonly #store: Store
  readonly #rendering: Rendering
  readonly #isPlain: boolean
  #parts: Buffer[] = []
  #bytes = 0
  #turns = 0

  constructor(call: Call, store: Store, rendering: Rendering) {
    this.call = call
    this.#store = store
    this.#rendering = rendering
    this.#isPlain = isPlain(rendering)
  }

  /** A stretch of stored frames. */
  slice(slice: Slice): void {
    this.#push(
      this.#isPlain ? slice.bytes.subarray(slice.start, slice.end) : renderedSlice(this.#store, slice, this.#rendering),
    )
  }

  /** One stored frame. */
  frame(view: FrameView): void {
    this.#push(this.#isPlain ? view.bytes.subarray(view.start, view.end) : rendered(this.#store, view, this.#rendering))
  }

  /** A message that is no event. */
  message(frame: Buffer): void {
    this.#push(frame)
  }

  /** Whether a chunk is gathered. */
  get isFull(): boolean {
    return this.#bytes >= CHUNK_BYTES
  }

  /** Hands everything gathered to the socket, small parts joined; answers as `Call.send` does. */
  flush(): Promise<void> | undefined {
    if (this.#bytes === 0) return undefined
    const [parts, bytes] = [this.#parts, this.#bytes]
    this.#parts = []
    this.#bytes = 0
    return this.call.send(bytes / parts.length >= LARGE_PART_BYTES ? parts : [Buffer.concat(parts, bytes)])
  }

  /** Sends when a chunk is full, waits while the client is behind, and pauses now and then. */
  async pace(): Promise<void> {
    if (this.isFull) await this.flush()
    if (++this.#turns % TURNS_PER_YIELD === 0) await new Promise(setImmediate)
  }

  #push(part: Buffer): void {
    this.#parts.push(part)
    this.#bytes += part.length
  }
}
