/** What the events of an aggregate say in plain words, for the activity feed: data beside its rules. */
import type { z } from 'zod'

/** Another thing that a sentence names, or, without a category, the thing that the event happened to. */
export type Mention = { readonly category?: string; readonly id?: string }

/** A sentence without its subject, which is who did it: `assigned the task ‹thing› to jon`. */
export type Phrase = readonly (string | Mention)[]

/**
 * The sentences of an aggregate: for every event its phrase, or a function of its data that gives it. Personal fields
 * are sealed in events, so no sentence can quote them.
 */
export type Activity<E extends Readonly<Record<string, z.ZodObject>>> = {
  /** The column of the thing's read model with the words that people call it; its id is named where there is none. */
  readonly called?: string
  /** The feed leaves these events out: what people do with their own inbox is no news. */
  readonly untold?: true
  readonly on: { readonly [K in keyof E & string]: Phrase | ((data: z.output<E[K]>) => Phrase) }
}
