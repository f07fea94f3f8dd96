import type { Traits } from '../recall/filter.ts'

/** A memory that counts, by its number in the index. */
export type Member = { readonly number: number; readonly traits: Traits }
