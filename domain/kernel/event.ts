import type { Json } from './json.ts'

/** A subject with the roles and the teams that it had; `teams` is absent where it had none. */
export type Who = {
  readonly subject: string
  readonly roles: readonly string[]
  readonly teams?: readonly string[]
}

/** What is stored beside the data of every domain event. */
export type Metadata = {
  readonly $correlationId: string
  readonly $causationId: string
  /** UUIDv5 of [org, stream, idempotency key]. */
  readonly commandId: string
  /** SHA-256 of the name of the command and its canonical body, personal fields by their digest. */
  readonly fingerprint: string
  readonly org: string
  /** The id of the thing in its org, as the client knows it; the stream's name holds only its hash. */
  readonly id: string
  readonly actor: Who
  /** Who caused what a process or a timer did: the caller at the beginning of the chain of events. */
  readonly behalf?: Who
  /** Subjects whose personal data the event holds, sealed. */
  readonly subjects: readonly string[]
  readonly at: string
  /** Schema number of the data: 1, and one more for each upcaster its type has had. */
  readonly schema: number
}

/** An event as every consumer sees it: data in memory form, always of the latest schema. */
export type DomainEvent<T extends string = string, D = unknown> = {
  readonly type: T
  readonly data: D
  readonly eventId: string
  readonly stream: string
  readonly category: string
  readonly revision: bigint
  readonly position: bigint
  readonly metadata: Metadata
}

/** An event as the log holds it. */
export type StoredEvent = {
  readonly type: string
  readonly data: { readonly [key: string]: Json }
  readonly metadata: Metadata
  readonly eventId: string
  readonly stream: string
  readonly revision: bigint
  readonly position: bigint
}

/** Takes the stored JSON of an event from one schema number to the next. */
export type Upcaster = (data: { readonly [key: string]: Json }) => { readonly [key: string]: Json }
