import { type Partition, partitionName } from '../ownership/partitions.ts'
import type { EventLog } from '../ports.ts'
import { greatest, least } from '../rows/positions.ts'
import type { AnyProjection } from '../rows/projection.ts'
import type { Runner } from './runner.ts'

/** How often the head of the log is looked at, and for how long it may move while a checkpoint does not. */
const LOOK_MS = 1_000
const STUCK_MS = 10_000
/** After so many looks that found nothing new, only every third one asks the log, until the reader delivers again. */
const QUIET_LOOKS = 10
const QUIET_EVERY = 3
/** How long a runner may be without a decision; building tables may take it some seconds. */
const SILENT_MS = 15_000

/** The state of one projection of this process. */
export type ProjectionHealth = {
  readonly projection: string
  readonly version: number
  readonly buckets: number
  readonly position: bigint
  readonly stalled: number
}

/**
 * Called with each head that was seen and the time at which it was asked for, in milliseconds since 1970; never fails.
 */
type OnHead = (head: bigint, askedAt: number) => Promise<void>

export type WatchOptions = { readonly lookMs?: number; readonly stuckMs?: number; readonly onHead?: OnHead }

/** The message for rows that were made of events that the log does not have: what is wrong and what to do. */
export const logWentBack = (head: bigint, position: bigint): string =>
  `the log ends at ${head}, but rows were made of events up to ${position}: it is an older copy or another log. ` +
  'Put the newest copy in place, or empty the database of the read models and let them be made anew'

/**
 * Watches a runner from outside, with its own requests to the log: a reader that has died reports nothing, but the head
 * of the log that it should follow still moves.
 */
export class Watch {
  readonly #runner: Runner
  readonly #events: Pick<EventLog, 'head'>
  readonly #stuckMs: number
  readonly #onHead: OnHead | undefined
  readonly #timer: NodeJS.Timeout
  #head: bigint | undefined
  #headError: Error | undefined
  #position = -1n
  #beyond: bigint | undefined
  #behindSince: number | undefined
  #looking = false
  /** Looks in a row that found the same head, and ticks since the last one. */
  #quiet = 0
  #ticks = 0
  #reporting = false

  constructor(runner: Runner, events: Pick<EventLog, 'head'>, options: WatchOptions = {}) {
    const { lookMs = LOOK_MS, stuckMs = STUCK_MS, onHead } = options
    this.#runner = runner
    this.#events = events
    this.#stuckMs = stuckMs
    this.#onHead = onHead
    this.#timer = setInterval(() => this.#tick(), lookMs)
    this.#timer.unref()
  }

  /** Position of the last domain event, as last seen. */
  get head(): bigint | undefined {
    return this.#head
  }

  /** How long a checkpoint of this process has not moved although the head is further, in milliseconds. */
  get stuckMs(): number {
    return this.#behindSince === undefined ? 0 : performance.now() - this.#behindSince
  }

  close(): void {
    clearInterval(this.#timer)
  }

  #tick(): void {
    this.#ticks += 1
    const isQuiet = this.#quiet >= QUIET_LOOKS && this.#foremost() === (this.#head ?? 0n)
    if (!isQuiet || this.#ticks >= QUIET_EVERY) void this.look()
  }

  /** The last position of the log that the reader has delivered and this process has stored. */
  #foremost(): bigint {
    return greatest(this.#runner.partitions.map(({ committed }) => committed))
  }

  /** Looks once; never fails. */
  async look(): Promise<void> {
    if (this.#looking) return
    this.#looking = true
    this.#ticks = 0
    const foremost = this.#foremost()
    const askedAt = Date.now()
    try {
      const head = await this.#events.head()
      this.#quiet = head === this.#head ? this.#quiet + 1 : 0
      this.#head = head
      this.#headError = undefined
      this.#beyond = foremost > this.#head ? foremost : undefined
      void this.#report(this.#head, askedAt)
    } catch (error) {
      this.#quiet = 0
      this.#headError = error instanceof Error ? error : new Error(String(error))
    } finally {
      this.#looking = false
    }
    const running = this.#runner.partitions.filter(({ state }) => state === 'running')
    const position = least(running.map(({ committed }) => committed))
    if (running.length === 0 || position >= (this.#head ?? 0n)) this.#behindSince = undefined
    else if (position !== this.#position) this.#behindSince = performance.now()
    else this.#behindSince ??= performance.now()
    this.#position = position
  }

  /** Reports a head. `look` does not wait for it, so that a database that hangs does not stop the watch. */
  async #report(head: bigint, askedAt: number): Promise<void> {
    if (!this.#onHead || this.#reporting) return
    this.#reporting = true
    await this.#onHead(head, askedAt)
    this.#reporting = false
  }

  /** Throws where the log does not answer, is an older copy, or moves on while a checkpoint does not. */
  checkHead(): Record<string, unknown> {
    if (this.#headError) throw new Error(`the event store does not answer: ${this.#headError.message}`)
    if (this.#beyond !== undefined) throw new Error(logWentBack(this.#head!, this.#beyond))
    if (this.stuckMs > this.#stuckMs) {
      throw new Error(
        `the head of the log is at ${this.#head}, a checkpoint has stood at ${this.#position} ` +
          `for ${Math.round(this.stuckMs / 1000)} s`,
      )
    }
    return { head: this.#head, position: this.#position < 0n ? 0n : this.#position }
  }

  /** Throws where an event has stopped a projection of this process, or an engine does not answer. */
  checkProjections(): readonly ProjectionHealth[] {
    const stalled = this.#runner.partitions.filter(({ state }) => state === 'stalled')
    if (stalled.length > 0) {
      const [first] = stalled
      const { type, position, error } = first!.fault!
      throw new Error(
        `${stalled.length} stalled, the first is ${partitionName(first!)} at ${type}, position ${position}: ${error}`,
      )
    }
    const { trouble, silentMs } = this.#runner
    if (trouble) throw new Error(`an engine does not answer: ${trouble.message}`)
    if (silentMs > SILENT_MS) {
      throw new Error(
        `the projector waits for the database since ${Math.round(silentMs / 1000)} s: is a lock held there?`,
      )
    }
    return this.projections()
  }

  /** The projections of this process, each with the position that all of its buckets have reached. */
  projections(): readonly ProjectionHealth[] {
    const byProjection = new Map<AnyProjection, Partition[]>()
    for (const partition of this.#runner.partitions) {
      const others = byProjection.get(partition.projection)
      if (others) others.push(partition)
      else byProjection.set(partition.projection, [partition])
    }
    return [...byProjection].map(([{ name, version }, partitions]) => ({
      projection: name,
      version,
      buckets: partitions.length,
      position: least(partitions.map(({ committed }) => committed)),
      stalled: partitions.filter(({ state }) => state === 'stalled').length,
    }))
  }
}
