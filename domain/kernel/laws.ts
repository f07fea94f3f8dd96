/** What must hold of the history of things, for those who check one without trusting who wrote it. */
import type { DomainEvent } from './event.ts'

/** What no rules would have made, as a sentence goes on. */
export type Unlawful = { readonly code: 'entry_unbalanced' | 'rules_broken'; readonly message: string }

/** The laws of the things of a category, beside those that `evolve` asserts. */
export type Laws<S> = {
  /** Of an event of a thing in a state. */
  readonly ofEvent: (state: S, event: DomainEvent) => Unlawful | undefined
  /** Of what the events of one command made of a state. */
  readonly ofCommand: (before: S, after: S, events: readonly DomainEvent[]) => Unlawful | undefined
}
