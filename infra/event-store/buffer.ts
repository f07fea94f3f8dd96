/** Holds what a subscription has delivered and its reader has not taken; it outlives the subscriptions that fill it. */
import { setTimeout as sleep } from 'node:timers/promises'
import type { UnparsedEvent } from '../../projections/ports.ts'

/** Events at which the sender must wait; half of them must be left before it may go on. */
const FULL_EVENTS = 4_096
/** The same in bytes: few events fill the buffer where they are large. */
const FULL_BYTES = 16 * 1024 * 1024
const ROOM_BYTES = FULL_BYTES / 2

/** How long a list may wait to be filled before all stored events have come. */
const LINGER_MS = 300

export class EventBuffer {
  /** Called when there is room again after `push` said that it is full. */
  onRoom: (() => void) | undefined
  #events: UnparsedEvent[] = []
  /** The size of each event, and of all that are not taken. */
  #sizes: number[] = []
  #bytes = 0
  #from = 0
  readonly #most: number
  #reached: bigint
  #full = false
  #live = false
  #liveSaid = false
  #error: unknown
  #failed = false
  #ended = false
  #wake: (() => void) | undefined
  /** How many events must be there before an arriving one wakes the reader. */
  #wanted = 1

  /** The first event is the one after the position; at `most` events the sender must wait. */
  constructor(after: bigint, most = FULL_EVENTS) {
    this.#reached = after
    this.#most = most
  }

  /** Makes ready for a new subscription, and answers the position after which it begins. */
  open(): bigint {
    this.#failed = false
    this.#live = false
    this.#liveSaid = false
    this.#full = false
    return this.#reached
  }

  /** Adds an event of so many bytes, unless it was delivered before; true when it fills the buffer. */
  push(event: UnparsedEvent, bytes: number): boolean {
    if (event.position <= this.#reached || this.#failed) return false
    this.#reached = event.position
    this.#events.push(event)
    this.#sizes.push(bytes)
    this.#bytes += bytes
    const waiting = this.#events.length - this.#from
    const fills = !this.#full && (waiting >= this.#most || this.#bytes >= FULL_BYTES)
    if (fills) this.#full = true
    if (fills || waiting >= this.#wanted) this.#wakeUp()
    return fills
  }

  /** Notes that no event up to `position` is still to come. */
  mark(position: bigint): void {
    if (position > this.#reached && !this.#failed) this.#reached = position
  }

  /** Notes that all stored events have been delivered. */
  caughtUp(): void {
    this.#live = true
    this.#wakeUp()
  }

  /** Notes that the subscription broke: what was delivered before is still handed out, then `lists` throws. */
  fail(error: unknown): void {
    if (this.#failed) return
    this.#error = error
    this.#failed = true
    this.#wakeUp()
  }

  /** Ends `lists` at once. */
  end(): void {
    this.#ended = true
    this.#wakeUp()
  }

  /** Lists of at most `max()` events as they come, and `'live'` once when all stored events have been handed out. */
  async *lists(max: () => number): AsyncGenerator<readonly UnparsedEvent[] | 'live'> {
    let deadline = 0
    while (!this.#ended) {
      // While stored events pour in, a short wait fills the lists, because each list has fixed costs for its reader.
      const pours = !this.#live && !this.#failed && this.#events.length > this.#from
      if (pours && this.#events.length - this.#from < max() && !this.#full) {
        deadline ||= performance.now() + LINGER_MS
        const left = deadline - performance.now()
        if (left > 0) {
          this.#wanted = max()
          await this.#more(left)
          this.#wanted = 1
          continue
        }
      }
      deadline = 0
      const events = this.#take(max())
      if (events.length > 0) yield events
      else if (this.#live && !this.#liveSaid) {
        this.#liveSaid = true
        yield 'live'
      } else if (this.#failed) throw this.#error
      else await this.#more()
    }
  }

  /** Waits before the next subscription; `end` ends the wait. */
  async pause(delayMs: number): Promise<void> {
    if (this.#ended) return
    const awake = new AbortController()
    this.#wake = () => this.#ended && awake.abort()
    await sleep(delayMs, undefined, { signal: awake.signal }).catch(() => {})
    this.#wake = undefined
  }

  #take(max: number): readonly UnparsedEvent[] {
    const taken = this.#events.slice(this.#from, this.#from + max)
    for (let n = 0; n < taken.length; n += 1) this.#bytes -= this.#sizes[this.#from + n]!
    this.#from += taken.length
    if (this.#from * 2 >= this.#events.length) {
      this.#events = this.#events.slice(this.#from)
      this.#sizes = this.#sizes.slice(this.#from)
      this.#from = 0
    }
    if (this.#full && this.#events.length - this.#from <= this.#most / 2 && this.#bytes <= ROOM_BYTES) {
      this.#full = false
      this.onRoom?.()
    }
    return taken
  }

  #more(waitMs?: number): Promise<void> {
    return new Promise(resolve => {
      const timer = waitMs === undefined ? undefined : setTimeout(() => this.#wakeUp(), waitMs)
      this.#wake = () => {
        clearTimeout(timer)
        this.#wake = undefined
        resolve()
      }
    })
  }

  #wakeUp(): void {
    this.#wake?.()
  }
}
