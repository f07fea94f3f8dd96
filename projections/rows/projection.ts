import type { z } from 'zod'
import type { Vocabulary } from '../../domain/kernel/aggregate.ts'
import { categoryOf } from '../../domain/kernel/codec.ts'
import { InvariantError } from '../../domain/kernel/errors.ts'
import type { DomainEvent, StoredEvent } from '../../domain/kernel/event.ts'

/** The key columns of a row with their values. */
export type Key = Readonly<Record<string, string | bigint>>

/**
 * How one type of event changes rows. `rows`: the keys it touches, and the fold that is called once for each distinct
 * key with the row as it stands; `null` removes the row. `append`: rows that are only ever added.
 */
export type Handler<R, D> =
  | {
      readonly keys: (event: DomainEvent<string, D>) => readonly Key[]
      readonly fold: (row: R | undefined, event: DomainEvent<string, D>, key: Key) => R | null
    }
  | { readonly append: (event: DomainEvent<string, D>) => readonly R[] }

/** A handler, or `null` on purpose, for every event of a vocabulary: a new event breaks the build until it is named. */
export type Handlers<R, E extends Vocabulary> = {
  readonly [K in keyof E & string]: Handler<R, z.output<E[K]>> | null
}

/** The vocabularies of aggregates, by their categories. */
export type Categories = Readonly<Record<string, Vocabulary>>

/** The events of several categories as one vocabulary. */
export type EventsOf<C extends Categories> = {
  readonly [T in { [N in keyof C]: keyof C[N] & string }[keyof C]]: {
    [N in keyof C]: T extends keyof C[N] ? C[N][T] : never
  }[keyof C]
}

/** A read model's whole definition, as data: the runner makes the table, the folds and the statements from it. */
export type Projection<C extends Categories, S extends z.ZodObject> = {
  readonly name: string
  /** Grows when rows must be built anew. */
  readonly version: number
  /** Whether every version of a row is kept with its position range. */
  readonly history: boolean
  /** The aggregates whose events it must handle, each event or `null`; `{}` where it takes `every` event instead. */
  readonly of: C
  readonly row: S
  /** Key columns; the first is `org` in every projection whose rows belong to an org. */
  readonly key: readonly (keyof z.output<S> & string)[]
  /** Further indexes, each a list of columns: what the read API filters and pages by. */
  readonly indexes: readonly (readonly (keyof z.output<S> & string)[])[]
  readonly on: Handlers<z.output<S>, EventsOf<C>>
  /** Handles every domain event that `on` does not name. */
  readonly every?: Handler<z.output<S>, unknown>
}

// biome-ignore lint/suspicious/noExplicitAny: a heterogeneous list, named (house rule 7)
export type AnyHandler = Handler<any, any>

/** Returns its argument: a definition is data. */
export const projection = <C extends Categories, S extends z.ZodObject>(definition: Projection<C, S>) => definition

/** A projection of any events and rows, for the lists that hold all of them. */
// biome-ignore lint/suspicious/noExplicitAny: a heterogeneous list, named (house rule 7)
export type AnyProjection = Projection<any, any>

/** The handler of an event type: `null` = ignored on purpose, `undefined` = an event this projection does not name. */
export const handlerOf = (projection: AnyProjection, type: string): AnyHandler | null | undefined =>
  Object.hasOwn(projection.on, type) ? projection.on[type] : projection.every

/**
 * Whether an event that nobody can decode concerns a projection: it has a handler for the type, or it does not know the
 * type and is made of the stream's category. Such an event stops whom it concerns until it is skipped for all of them.
 */
export function concerns(projection: AnyProjection, { type, stream }: Pick<StoredEvent, 'type' | 'stream'>): boolean {
  const handler = handlerOf(projection, type)
  return handler === undefined ? Object.hasOwn(projection.of, categoryOf(stream)) : handler !== null
}

/** The row an event changes. An event before the one that makes its row is an impossible history. */
export function known<R>(row: R | undefined, { type, stream, revision }: DomainEvent): R {
  if (row === undefined) throw new InvariantError(`${type} at ${stream}@${revision} changes a row that is not there`)
  return row
}

/** The key of the rows that stand for one thing each: its org and its id. */
export const keyOfThing = ({ metadata: { org, id } }: DomainEvent): readonly Key[] => [{ org, id }]
