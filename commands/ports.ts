import type { StoredEvent } from '../domain/kernel/event.ts'
import type { Json } from '../domain/kernel/json.ts'
import type { Sealed } from '../domain/kernel/schema.ts'

/** An event on its way into the log. Bytes are stored as they are, JSON as JSON. */
export type NewEvent = {
  readonly id: string
  readonly type: string
  readonly data: Json | Uint8Array
  readonly metadata: Json
  /** `data` and `metadata` as JSON text, where that is known already. */
  readonly text?: string
  readonly metadataText?: string
}

/** The last event of an append. */
export type Appended = { readonly revision: bigint; readonly position: bigint }

/** An event of a derived stream (snapshots, command ids), as stored. */
export type DerivedEvent = { readonly data: Json | Uint8Array; readonly metadata: Json; readonly revision: bigint }

/** Thrown by `append` when the stream is not at the expected revision. */
export class LostRaceError extends Error {
  override readonly name = 'LostRaceError'
}

/**
 * The write side's port to the event log. Every method throws `KogiError('engine_unavailable')` when the log cannot be
 * reached; after an append that failed so, it is unknown whether the events were stored.
 */
export type EventStore = {
  /** Domain events of a stream from revision `from` on, at most `limit`; `[]` where there are none. */
  readonly read: (stream: string, from: bigint, limit: number) => Promise<readonly StoredEvent[]>
  /** The type of the last event of a stream of domain events, `undefined` where it has none. */
  readonly last: (stream: string) => Promise<{ readonly type: string } | undefined>
  /** Appends if the stream's last revision is `expected` (-1: the stream is new). */
  readonly append: (stream: string, expected: bigint, events: readonly NewEvent[]) => Promise<Appended>
  /**
   * Positions of at most `limit` events of a stream from revision `from` on, in order; fewer where the log does not
   * have them at hand: then the events are read.
   */
  readonly positions: (stream: string, from: bigint, limit: number) => Promise<readonly bigint[]>
  /** Appends to a derived stream, wherever it ends; the server drops a repetition of the same event ids. */
  readonly appendDerived: (stream: string, events: readonly NewEvent[]) => Promise<void>
  /** At most `limit` events of a derived stream, from revision `from` on; from its end on that side by default. */
  readonly readDerived: (
    stream: string,
    direction: 'forwards' | 'backwards',
    limit: number,
    from?: bigint,
  ) => Promise<readonly DerivedEvent[]>
  /** Keeps only the last `count` events of a derived stream. */
  readonly keepLast: (stream: string, count: number) => Promise<void>
  /** Keeps the events of a derived stream for so many seconds. */
  readonly keepFor: (stream: string, seconds: number) => Promise<void>
}

/**
 * The projections that an event stops which cannot be read: those that it concerns and that no operator has skipped it
 * for. Where there are none, the write path goes past the event as they do.
 */
export type UnskippedBy = (event: StoredEvent) => Promise<readonly string[]>

/** Seals and opens personal data; keys live in a database of their own. */
export type Keyring = {
  /**
   * Seals a text under the subject's key, which is made where there is none yet; without `makeKey` such a text is
   * sealed under a key that is not kept. The key of a thing names its `owners`, with whose data it is destroyed: those
   * that are given are added to them. Throws `subject_erased` where the subject's key was destroyed, or the data of an
   * owner.
   */
  readonly seal: (
    org: string,
    subject: string,
    plain: string,
    options: { readonly makeKey: boolean; readonly owners?: readonly string[] | undefined },
  ) => Promise<Sealed>
  /**
   * Takes all others from the owners of a thing's key, if there is one. Only for owners that the log names: those of a
   * command that it did not take yet may be the wrong ones.
   */
  readonly own: (org: string, subject: string, owners: readonly string[]) => Promise<void>
  /** Throws `subject_erased` where the log has an erasure of the subject by now. */
  readonly mustNotBeErased: (org: string, subject: string) => Promise<void>
  /** The plain texts, in order: `null` where the key was erased, `undefined` where it is missing. */
  readonly open: (org: string, envelopes: readonly Sealed[]) => Promise<readonly (string | null | undefined)[]>
}
