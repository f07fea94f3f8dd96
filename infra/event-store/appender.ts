import type { EventStoreDBClient } from '@eventstore/db-client'
import type { Appended, NewEvent } from '../../commands/ports.ts'
import type { StoredEvent } from '../../domain/kernel/event.ts'

export type AppenderOptions = {
  /** Connection string of the event store. */
  readonly url: string
  /** Finds the node to ask. */
  readonly client: EventStoreDBClient
  /** Time after which the answer of an append counts as lost. */
  readonly timeoutMs: number
}

/**
 * Appends to streams. Throws `LostRaceError` where the stream is not as expected, `KogiError('body_too_large')` for
 * more than one append may hold, and `KogiError('engine_unavailable')` where no answer came: then it is unknown whether
 * the events are stored. Nothing is ever sent twice.
 */
export type Appender = {
  /** `expected`: the revision of the stream's last event, negative where the stream is new. */
  readonly append: (stream: string, expected: bigint | 'any', events: readonly NewEvent[]) => Promise<Appended>
  /** Positions of at most `count` events of a stream from revision `from` on; none where they are not at hand. */
  readonly positions: (stream: string, from: bigint, count: number) => Promise<readonly bigint[]>
  /** At most `count` events of a stream from revision `from` on; `undefined` where they are not at hand. */
  readonly read: (stream: string, from: bigint, count: number) => Promise<readonly StoredEvent[] | undefined>
  readonly close: () => void
}
