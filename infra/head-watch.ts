import type { EventLog } from '../projections/ports.ts'
import { least } from '../projections/rows/positions.ts'

/** How often the head of the log is looked at, and for how long it may move while a reader does not. */
const LOOK_MS = 2_000
const STUCK_MS = 15_000
/** After so many looks that found nothing new, only every third one asks the log. */
const QUIET_LOOKS = 10
const QUIET_EVERY = 3

/** Watches readers from outside, with its own requests to the log: a reader that has died reports nothing. */
export class HeadWatch {
  readonly #events: Pick<EventLog, 'head'>
  readonly #positions: () => readonly bigint[]
  readonly #timer: NodeJS.Timeout
  #head = 0n
  #error: Error | undefined
  #least = -1n
  #behindSince: number | undefined
  #looking = false
  /** Looks in a row that found the same head, and ticks since the last one. */
  #quiet = 0
  #ticks = 0

  /** `positions`: where the readers of this process are; none while another process reads. */
  constructor(events: Pick<EventLog, 'head'>, positions: () => readonly bigint[], lookMs = LOOK_MS) {
    this.#events = events
    this.#positions = positions
    this.#timer = setInterval(() => this.#tick(), lookMs).unref()
  }

  /** Position of the last domain event, as last seen. */
  get head(): bigint {
    return this.#head
  }

  /** How long no reader has moved although the head is further, in milliseconds. */
  get stuckMs(): number {
    return this.#behindSince === undefined ? 0 : performance.now() - this.#behindSince
  }

  close(): void {
    clearInterval(this.#timer)
  }

  /** Throws where the log does not answer, or moves on while a reader does not. */
  check(): { readonly head: bigint } {
    if (this.#error) throw new Error(`the event store does not answer: ${this.#error.message}`)
    if (this.stuckMs > STUCK_MS) {
      throw new Error(
        `the head of the log is at ${this.#head}, a process has stood at ${this.#least} ` +
          `for ${Math.round(this.stuckMs / 1000)} s`,
      )
    }
    return { head: this.#head }
  }

  #tick(): void {
    this.#ticks += 1
    const isQuiet = this.#quiet >= QUIET_LOOKS && this.#positions().every(position => position <= this.#head)
    if (!isQuiet || this.#ticks >= QUIET_EVERY) void this.#look()
  }

  async #look(): Promise<void> {
    if (this.#looking) return
    this.#looking = true
    this.#ticks = 0
    const before = this.#head
    try {
      this.#head = await this.#events.head()
      this.#error = undefined
      this.#quiet = this.#head === before ? this.#quiet + 1 : 0
    } catch (error) {
      this.#error = error as Error
      this.#quiet = 0
    }
    this.#looking = false
    const positions = this.#positions()
    const reached = positions.length === 0 ? this.#head : least(positions)
    if (reached >= this.#head) this.#behindSince = undefined
    else if (reached !== this.#least) this.#behindSince = performance.now()
    else this.#behindSince ??= performance.now()
    this.#least = reached
  }
}
