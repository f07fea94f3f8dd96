/** What a read model is: its rows, how events change them, how they are read and what is remembered of them. */
import type { z } from 'zod'
import type { Vocabulary } from '../../domain/kernel/aggregate.ts'
import type { Categories, EventsOf } from '../../domain/kernel/categories.ts'
import { categoryOf } from '../../domain/kernel/codec.ts'
import { InvariantError } from '../../domain/kernel/errors.ts'
import type { DomainEvent, StoredEvent } from '../../domain/kernel/event.ts'
import type { Sealed } from '../../domain/kernel/schema.ts'

/** The key columns of a row with their values. */
export type Key = Readonly<Record<string, string | bigint>>

/**
 * How one type of event changes rows. `keys` and `fold`: the keys it touches, and the fold that is called once for each
 * distinct key with the row as it stands; `null` removes the row. `isOwn`: its keys name nothing but the thing whose
 * stream the event is in, so that its first event finds no row. `append`: rows that are only ever added.
 */
export type Handler<R, D> =
  | {
      readonly keys: (event: DomainEvent<string, D>) => readonly Key[]
      readonly fold: (row: R | undefined, event: DomainEvent<string, D>, key: Key) => R | null
      readonly isOwn?: boolean
    }
  | { readonly append: (event: DomainEvent<string, D>) => readonly R[] }

/** A handler, or `null` on purpose, for every event of a vocabulary: a new event breaks the build until it is named. */
export type Handlers<R, E extends Vocabulary> = {
  readonly [K in keyof E & string]: Handler<R, z.output<E[K]>> | null
}

/** The columns of a row, by name. */
type Column<S extends z.ZodObject> = keyof z.output<S> & string

/** A list of rows and the single rows in it, as data: routes, statements, indexes and documentation follow from it. */
export type Read<S extends z.ZodObject> = {
  /** What people call one and many of them, in lower case: `wallet account`, `wallet accounts`. */
  readonly one: string
  readonly many: string
  /** Path of the list below the service. */
  readonly path: `/${string}`
  /** The permission below the service: `accounts.read`. */
  readonly permission: string
  /** Parameters of the path with the columns they fix, in the order of the key of `within`. */
  readonly parents?: Readonly<Record<string, Column<S>>>
  /** Values that columns have in all rows of the list, one or one of several: others are not in it. */
  readonly where?: { readonly [C in Column<S>]?: string | readonly string[] }
  /**
   * The read model of the thing that the list belongs to: 404 where that is not there. Without `parents` it is that of
   * the things that rows belong to, which the first columns of their key name.
   */
  readonly within?: AnyProjection
  /**
   * The column of that read model with the revision that its thing was made at, last: rows that no later event changed
   * are of a removed thing of the same id, and not in the list.
   */
  readonly since?: string
  /** Columns that name one row in the list, which become the rest of its path; none where it has no path of its own. */
  readonly names: readonly Column<S>[]
  /** Columns that order the list, unique within org and parents. */
  readonly order: readonly Column<S>[]
  /** Columns that the list can be filtered and sorted by; each gets an index, but for lists, which are looked into. */
  readonly filters?: readonly Column<S>[]
  /** Columns that the list can be filtered by without an index of their own: it is walked in its order. */
  readonly walked?: readonly Column<S>[]
  /** Whether its rows are events: each then says what it changed of its thing (read-api/audit/changes.ts). */
  readonly isOfEvents?: boolean
  /** Columns that a summary can group by; those of days and times by day, week and month as well. */
  readonly groups?: readonly Column<S>[]
  /** Numbers that a summary can add up. */
  readonly sums?: readonly Column<S>[]
  /**
   * The column of `groups` that holds the unit of a sum: amounts of different currencies are never added up. A sum of
   * money has the column `currency` where nothing is said here, and `null` says that it has no unit.
   */
  readonly units?: { readonly [C in Column<S>]?: Column<S> | null }
  /** Columns of the decimal places of sums, by sum: what is in several places is added up only by that group. */
  readonly places?: { readonly [C in Column<S>]?: Column<S> }
  readonly summary: { readonly list: string; readonly get?: string }
}

/**
 * The words of a memory. A field that is `undefined` stays as it was, `null` removes it; sealed texts stay sealed. A
 * memory begins with its title.
 */
export type MemoryTexts = {
  readonly title?: string | undefined
  readonly body?: string | Sealed | null | undefined
  readonly details?: string | null | undefined
  /** What is known of it beside its words: of a memory that was stored as such. */
  readonly traits?: MemoryTraits | undefined
}

/** What is known of a memory beside its words. One that has a type is called by it: it has no title. */
export type MemoryTraits = {
  readonly type: string
  readonly author: string
  readonly tags: readonly string[]
  /** The persons and things that it is about. */
  readonly subjects: readonly string[]
  readonly source?: string | undefined
  readonly session?: string | undefined
  readonly valid_from?: string | undefined
  readonly valid_to?: string | undefined
  readonly links: readonly MemoryLink[]
}

/** That a memory belongs to another thing, for a time. */
type MemoryLink = {
  readonly type: string
  readonly kind: string
  readonly to: string
  readonly valid_from?: string | undefined
  readonly valid_to?: string | undefined
}

/**
 * What an event makes of the memory of its thing. `once`: words that no later event changes, of the thing or of the
 * `subject` that the event names; `anew`: replaces whatever was remembered; `revise`: changes parts of it. `subjects`:
 * the event is about several parts of the thing, each of which has a memory, anew or, with `null`, forgotten.
 */
export type MemoryStep<D> =
  | { readonly once: (data: D) => (MemoryTexts & { readonly subject?: string }) | null }
  | { readonly anew: (data: D) => MemoryTexts }
  | { readonly revise: (data: D, before: MemoryTraits | undefined) => MemoryTexts }
  | {
      readonly subjects: (data: D) => readonly string[]
      readonly texts: (data: D, subject: string) => MemoryTexts | null
    }
  | 'forget'

/** What is remembered of a read model's things, for search. */
export type MemoryMapping<E extends Vocabulary> = {
  /** Which kind of memory it is: `item`, `note`. Searching it needs the permission of the model's first read. */
  readonly kind: string
  readonly on: { readonly [K in keyof E & string]?: MemoryStep<z.output<E[K]>> }
}

/** A column that is not stored, but worked out in SQL with each answer. */
export type Computed = {
  readonly schema: z.ZodType
  /** The other read models that it is made of. */
  readonly of: readonly AnyProjection[]
  /** Whether it depends on the day that it is read on. */
  readonly isDaily: boolean
  /** SQL of its value for the row of an alias; `today` is SQL of the day, `then` of the position of `as_of`. */
  readonly sql: (alias: string, today: string, then: string | undefined) => string
}

/**
 * Who may read rows, where that is not everybody who has the permission. `own`: rows say it, by `privacy` and
 * `readers`. `like`: who may read the rows of other read models, by the columns that name them. `inEvents`: the same by
 * members of the data of events, where rows are of other things than those whose streams the events are in.
 */
export type Readers =
  | 'own'
  | {
      readonly like: Readonly<Record<string, string>>
      readonly inEvents?: Readonly<Record<string, string>>
    }

/** A read model's whole definition, as data: the runner makes the table, the folds and the statements from it. */
export type Projection<C extends Categories, S extends z.ZodObject> = {
  readonly name: string
  /** The word of the service that it belongs to: `wallet`. */
  readonly service: string
  /** Grows when rows must be built anew. */
  readonly version: number
  /** The read model that answers were made of before they were made of both: they wait until this one is as far. */
  readonly after?: AnyProjection
  /** Whether every version of a row is kept with its position range. */
  readonly history: boolean
  /** The aggregates whose events it must handle, each event or `null`; `{}` where it takes `every` event instead. */
  readonly of: C
  readonly row: S
  /** Key columns; the first is `org` in every projection whose rows belong to an org. */
  readonly key: readonly Column<S>[]
  /** The key names other things than the one whose stream the events are in: rows have no revision of it. */
  readonly isOfOthers?: true
  /** Indexes beyond those that follow from `reads`, each a list of columns. */
  readonly indexes?: readonly (readonly Column<S>[])[]
  /** Columns of other rows' names, each with an index of its own: rows without a value are not in it. */
  readonly lookups?: readonly Column<S>[]
  /** The same as `lookups`, of all versions of its rows. */
  readonly versionLookups?: readonly Column<S>[]
  /** Columns that are read of all versions from the index of their keys alone. */
  readonly versionColumns?: readonly (Column<S> | '_removed')[]
  readonly on: Handlers<z.output<S>, EventsOf<C>>
  /** Handles every domain event that `on` does not name. */
  readonly every?: Handler<z.output<S>, unknown>
  readonly readers?: Readers
  /** Columns that its rows have over HTTP beside those that are stored. */
  readonly computed?: Readonly<Record<string, Computed>>
  /** How its rows are read over HTTP. */
  readonly reads?: readonly Read<S>[]
  readonly memory?: MemoryMapping<EventsOf<C>>
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

/** The names of the projections that an unreadable event stops: those that it concerns and that have no skip of it. */
export const unskippedBy = (
  projections: readonly AnyProjection[],
  skips: ReadonlyMap<string, ReadonlySet<bigint>>,
  event: Pick<StoredEvent, 'type' | 'stream' | 'position'>,
): readonly string[] =>
  projections
    .filter(projection => concerns(projection, event) && !skips.get(projection.name)?.has(event.position))
    .map(({ name }) => name)

/** The row that an event changes. An event before the one that makes its row is an impossible history. */
export function existing<R>(row: R | undefined, { type, stream, revision }: DomainEvent): R {
  if (row === undefined) throw new InvariantError(`${type} at ${stream}@${revision} changes a row that is not there`)
  return row
}
