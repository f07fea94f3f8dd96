/** What an aggregate is: its vocabulary, its rules and how clients reach it, as data. */
import type { z } from 'zod'
import type { Activity } from './activity.ts'
import type { Beside, Context, EventQuery, Once } from './context.ts'
import { invariant, rejected } from './errors.ts'
import type { DomainEvent, Upcaster } from './event.ts'

export type { Context, EventQuery, Once } from './context.ts'

/** Message names of one kind with their schemas: events by `PascalCase` fact, commands by `camelCase` verb. */
export type Vocabulary = Readonly<Record<string, z.ZodObject>>

/** A fact that `decide` states: its type and its data in memory form. */
export type EventOf<E extends Vocabulary> = {
  readonly [K in keyof E & string]: { readonly type: K; readonly data: z.output<E[K]> }
}[keyof E & string]

/** How state follows from events and their instants (`at`). Never refuses: impossible history is an `invariant`. */
export type Evolve<S, E extends Vocabulary> = {
  readonly [K in keyof E & string]: (state: S, data: z.output<E[K]>, at: string) => S
}

/** The rules: facts that follow from a command, `[]` when already so; throws a `Rejection` where a rule says no. */
export type Decide<S, C extends Vocabulary, E extends Vocabulary> = {
  readonly [K in keyof C & string]: (state: S, command: z.output<C[K]>, context: Context) => readonly EventOf<E>[]
}

type HttpMethod = 'POST' | 'PUT' | 'PATCH' | 'DELETE'

/**
 * How clients give a command. The route is a method and a path below the service, `:id` naming the thing; a path
 * without `:id` opens a new one. The permission is the part below the service: `notes.write`. The summary is one
 * sentence for the documentation. A command that makes a part of the thing says where that is read: a path below the
 * service, in which `:id` is the thing and other names are fields of the first event.
 */
export type Operation = readonly [route: `${HttpMethod} /${string}`, permission: string, summary: string, made?: string]

/** An aggregate's whole definition, as data. */
export type Aggregate<S, C extends Vocabulary, E extends Vocabulary> = Beside<S, C> & {
  /** The category: first part of the stream name, no dash. */
  readonly name: string
  readonly events: E
  readonly commands: C
  /** A command that is `internal` has no route: processes and timers alone give it. */
  readonly api: { readonly [K in keyof C & string]: Operation | 'internal' }
  /** Codes this aggregate's rules can answer: append-only. */
  readonly rejections: readonly string[]
  readonly initial: S
  readonly evolve: Evolve<S, E>
  readonly decide: Decide<S, C, E>
  /** Commands that are decided on an earlier event, which the state does not hold: the write path finds it. */
  readonly looksUp?: { readonly [K in keyof C & string]?: (command: z.output<C[K]>) => EventQuery }
  /** Commands that do what can be done once; `undefined` for one that does not. */
  readonly once?: { readonly [K in keyof C & string]?: (command: z.output<C[K]>) => Once | undefined }
  /** Grows when the shape of the state changes, so that older snapshots are not read. */
  readonly stateSchema: number
  /** The subject whose key seals the personal fields of commands that come after the one that opened the thing. */
  readonly subjectOf?: (state: S) => string | undefined
  /** Commands that keep bytes of the subject outside of the log: refused where it, or the caller, is erased. */
  readonly keeps?: readonly (keyof C & string)[]
  /** Commands that cannot be tried: what would follow from them is for nobody to know before it does. */
  readonly untried?: readonly (keyof C & string)[]
  /** Events after which the thing is gone: a reference to it is refused. */
  readonly removedBy?: readonly (keyof E & string)[]
  /** Earlier spellings of fields of commands, which are still taken: spelling → field. */
  readonly spellings?: Readonly<Record<string, string>>
  /** What its events say in plain words, for the activity feed. */
  readonly activity?: Activity<E>
  /** Upcasters by event type, oldest first: an event with n of them is written with schema number n + 1. */
  readonly upcast?: { readonly [K in keyof E & string]?: readonly Upcaster[] }
}

/** Returns its argument: a definition is data. */
export const aggregate = <S, C extends Vocabulary, E extends Vocabulary>(definition: Aggregate<S, C, E>) => definition

/** An aggregate of any state and vocabulary, for the lists that hold all of them. */
// biome-ignore lint/suspicious/noExplicitAny: a heterogeneous list, named (house rule 7)
export type AnyAggregate = Aggregate<any, any, any>

/** One fold step by the event's name, for code that holds events of many types. */
export function evolveWith(aggregate: AnyAggregate, state: unknown, { type, data, metadata }: DomainEvent): unknown {
  const step = aggregate.evolve[type]
  if (!step) throw new TypeError(`${aggregate.name} knows no event ${type}`)
  return step(state, data, metadata.at)
}

/**
 * The state, narrowed to the status that a rule or an event needs. In `decide` pass the code and message that refuse
 * the command otherwise; in `evolve` pass none, because a history that breaks this is impossible.
 */
export function inStatus<S extends { readonly status: string }, K extends S['status']>(
  state: S,
  status: K,
  refusal?: readonly [code: string, message: string],
): Extract<S, { readonly status: K }> {
  if (state.status === status) return state as Extract<S, { readonly status: K }>
  if (refusal) throw rejected(...refusal)
  invariant(false, `an event or command of a thing that is ${state.status}, not ${status}`)
}
