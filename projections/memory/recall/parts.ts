/** The texts of an org by language: the words of each are counted by themselves. */
import { Lists, type ListsState } from '../lists.ts'
import { Vocabulary, type VocabularyState } from '../vocabulary.ts'
import { seedOf } from './embedder.ts'
import { functionStems, type Language, stemOf } from './languages.ts'
import type { RunsState } from './runs.ts'

/** The texts of one language, and their words. */
export type Part = {
  readonly language: Language
  readonly vocabulary: Vocabulary
  readonly postings: Lists
  /** Seeds of function words. */
  readonly common: ReadonlySet<number>
  size: number
}

/** What the leg of words holds, to store it; of each memory the place of its part, 0 where there is none. */
export type LexicalState = {
  readonly parts: readonly {
    readonly language: Language
    readonly size: number
    readonly vocabulary: VocabularyState
    readonly postings: ListsState
  }[]
  readonly partsOf: Uint16Array
  readonly sequences: RunsState
  readonly lengths: Uint32Array
  /** Memories, their words that tell something, their forms, and all their places. */
  readonly totals: { readonly size: number; readonly length: number; readonly uses: number; readonly places: number }
}

export function emptyPart(language: Language): Part {
  const common = new Set([...functionStems(language)].map(seedOf))
  const vocabulary = new Vocabulary(form => stemOf(form, language), common)
  return { language, vocabulary, postings: new Lists(), common, size: 0 }
}
