/** What goes into the write path, and what comes out. */
import type { AnyAggregate, Context, Operation } from '../domain/kernel/aggregate.ts'
import type { DomainEvent } from '../domain/kernel/event.ts'
import type { Principal } from '../domain/kernel/route.ts'

/** What `If-Match` may name beside one revision: several, of which one must be the thing's, or `*`, that it exists. */
type Expected = readonly bigint[] | '*'

/** A request to change one thing: parsed and named. */
export type Command = {
  readonly aggregate: AnyAggregate
  readonly name: string
  /** The thing's id in its org. */
  readonly id: string
  /** Whether the body of a command that makes the thing named that id, which then counts in the fingerprint. */
  readonly named?: boolean
  /** Whether the command may make the thing. */
  readonly opens: boolean
  /** In memory form, personal fields in plain text. */
  readonly body: unknown
  readonly idempotencyKey: string
  readonly principal: Principal
  readonly correlationId: string
  readonly causationId?: string
  /** Revision the caller has seen (`If-Match`); -1 for a thing that must not exist yet. */
  readonly expectedRevision?: bigint | Expected
  /**
   * Names a dry run: its commands are only decided, each on the state that those before it would make. Nothing is
   * appended, sealed or remembered.
   */
  readonly dryRun?: symbol | undefined
  /** Who caused the event that a process follows with this command. */
  readonly behalf?: Context['behalf']
  /** The earlier event that it is about. */
  readonly found?: DomainEvent
  /** The last revision up to which that event was looked for, where a later one may take its place. */
  readonly lookedUpTo?: bigint
  /** The state of the other thing that it sees. */
  readonly seen?: unknown
  /** The state before that event, where its command asks for it. */
  readonly before?: unknown
  /**
   * Whether it came with others in one request, or nobody reads its receipt: that may have the position of the last
   * command that was appended with it.
   */
  readonly isOfBulk?: boolean
}

/** What an accepted command returns. `events` is empty where the command changed nothing. */
export type Receipt = {
  readonly id: string
  readonly stream: string
  readonly revision: bigint
  readonly position: bigint
  readonly events: readonly Pick<DomainEvent, 'type' | 'eventId' | 'revision' | 'data'>[]
  readonly replayed: boolean
}

/** Whether a command may make the thing, also where its path or its process names it. */
export const mayMake = ({ only, twinOf, commands }: AnyAggregate, name: string): boolean =>
  only !== undefined || twinOf !== undefined || 'id' in commands[name]!.shape

/** The commands that clients can give, with how they do. */
export const operationsOf = ({ api }: AnyAggregate): readonly (readonly [name: string, Operation])[] =>
  Object.entries<Operation | 'internal'>(api).flatMap(([name, operation]) =>
    operation === 'internal' ? [] : [[name, operation] as const],
  )
