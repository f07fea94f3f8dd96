/** The ports through which projections reach the log and the logger; infra/ implements them. */
import type { DomainEvent, StoredEvent } from '../domain/kernel/event.ts'

/** How a reader is doing, for logs, health and metrics. */
export type ReaderStatus =
  | { readonly state: 'reading' }
  /** Every stored event has been delivered; what comes now is new. */
  | { readonly state: 'live' }
  | { readonly state: 'retrying'; readonly error: Error; readonly attempt: number; readonly delayMs: number }

/**
 * An event of a reader that was asked for `unparsed` ones: its data and metadata are parsed when they are asked for,
 * and again after `forget`. Thousands of events wait for their batch and for its end, and as objects they would keep
 * the garbage collector busy. `size`: bytes of its data; `stored`: its JSON as the log has it.
 */
export type UnparsedEvent = StoredEvent & {
  readonly forget?: () => void
  readonly size?: number
  readonly stored?: { readonly data: Buffer; readonly metadata: Buffer }
}

/** The domain events of the log in `$all` order. */
export type EventLog = {
  /** Position of the last domain event, `0n` where there is none. Fails when the engine does not answer. */
  readonly head: (signal?: AbortSignal) => Promise<bigint>
  /**
   * The domain events after a position (`0n` = from the start), stored ones first, then new ones as they come, until
   * `signal` aborts: lists of at least one and at most `max` events. It reads ahead a bounded distance, reconnects for
   * ever with back-off, and says so through `onStatus`. It ends without an error when aborted.
   */
  readonly follow: (options: FollowOptions) => AsyncIterable<readonly UnparsedEvent[]>
  /**
   * The domain events after a position up to and with `to`, a position that the log has, then the end: all of them,
   * also where a node lags behind. Fails when the engine does not answer, or does not come as far as `to` in time.
   */
  readonly read: (options: ReadOptions) => AsyncIterable<readonly StoredEvent[]>
  /** The positions that operators decided to skip, by projection: the events of the streams `projection-<name>`. */
  readonly skips: (projections: readonly string[]) => Promise<ReadonlyMap<string, ReadonlySet<bigint>>>
}

export type FollowOptions = {
  readonly after: bigint
  /** Events per list, at most; asked anew for each list, so that the batch size can follow the measured latency. */
  readonly max: () => number
  readonly signal: AbortSignal
  readonly onStatus?: (status: ReaderStatus) => void
  /** Whether events may be `UnparsedEvent`s, which are no plain objects. */
  readonly unparsed?: boolean
}

export type ReadOptions = {
  readonly after: bigint
  readonly to: bigint
  readonly max: number
  readonly signal?: AbortSignal
}

/** Stored JSON to memory form, upcast to the latest schema; throws on what no version wrote. */
export type Decode = (event: StoredEvent) => DomainEvent

/** The part of a logger that a projector speaks to; pino's has it. */
export type ProjectorLog = Readonly<
  Record<'info' | 'warn' | 'error', (fields: Record<string, unknown>, message: string) => void>
>
