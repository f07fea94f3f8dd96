/** What a process is: which commands follow from which events, as data. */
import type { z } from 'zod'
import type { Aggregate, AnyAggregate, Vocabulary } from '../../domain/kernel/aggregate.ts'
import type { Categories, EventsOf } from '../../domain/kernel/categories.ts'
import type { ErrorDetail } from '../../domain/kernel/errors.ts'
import type { DomainEvent } from '../../domain/kernel/event.ts'

/** Why a command was refused: a code of the target's rules, or `abandoned` with the reason that an operator gave. */
export type Refusal = { readonly code: string; readonly message: string; readonly details?: readonly ErrorDetail[] }

/** A command that a process gives. */
export type Step = {
  readonly aggregate: AnyAggregate
  readonly name: string
  /** The id of the thing that it is given to, in the org of the event. */
  readonly id: string
  /** In memory form, as the schema of the command has it. */
  readonly body: object
  /** The command that is given instead where this one is refused; the steps behind it are left out then. */
  readonly refused?: (refusal: Refusal) => Step
  /** Type of the event that it must have led to for the steps behind it to follow. */
  readonly needs?: string
}

/** Makes a step, checked by the compiler against the vocabulary of the thing that it is given to. */
export const step = <S, C extends Vocabulary, E extends Vocabulary, K extends keyof C & string>(
  aggregate: Aggregate<S, C, E>,
  name: K,
  id: string,
  body: Omit<z.output<C[K]>, 'id'>,
  refused?: (refusal: Refusal) => Step,
): Step => ({ aggregate, name, id, body, ...(refused && { refused }) })

/** The same step; those behind it follow only where it has led to an event of a type. */
export const leadingTo = (it: Step, needs: string): Step => ({ ...it, needs })

/** The steps that follow from an event, in order: each is given once the one before it was accepted. */
type Handler<D> = (event: DomainEvent<string, D>) => readonly Step[]

/**
 * A process's whole definition, as data. A handler is pure and looks at nothing but its event: what a process has to
 * remember and to decide is the business of an aggregate. Every event of the vocabularies has a handler, or `null` on
 * purpose, so that a new event breaks the build until it is named.
 */
export type Process<C extends Categories> = {
  /** Names its checkpoint and is part of the keys of its commands: it never changes. */
  readonly name: string
  /** The vocabularies of the aggregates whose events it follows, by their categories. */
  readonly of: C
  readonly on: { readonly [K in keyof EventsOf<C> & string]: Handler<z.output<EventsOf<C>[K]>> | null }
}

/** Returns its argument: a definition is data. */
export const process = <C extends Categories>(definition: Process<C>) => definition

/** A process on any events, for the lists that hold all of them. */
// biome-ignore lint/suspicious/noExplicitAny: a heterogeneous list, named (house rule 7)
export type AnyProcess = Process<any>

/** Whether a process has steps for events of a type. */
export const follows = ({ on }: AnyProcess, type: string): boolean => Object.hasOwn(on, type) && on[type] !== null
