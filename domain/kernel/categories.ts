import type { Vocabulary } from './aggregate.ts'

/** The vocabularies of aggregates, by their categories. */
export type Categories = Readonly<Record<string, Vocabulary>>

/** The events of several categories as one vocabulary. */
export type EventsOf<C extends Categories> = {
  readonly [T in { [N in keyof C]: keyof C[N] & string }[keyof C]]: {
    [N in keyof C]: T extends keyof C[N] ? C[N][T] : never
  }[keyof C]
}
