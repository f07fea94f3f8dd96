/** How an index understands a query: its words as they were typed, and what each of them may mean in these texts. */
import type { Lists } from './lists.ts'
import type { Vocabulary } from './vocabulary.ts'
import { typedWords, wordOf } from './words.ts'

/** The fewest letters whose continuations are looked for. */
const PREFIX_LETTERS_MIN = 3

/** How a word of the query was found in a text: as it was typed, as a beginning, or but for one letter. */
export type Match = { readonly word: string; readonly as: 'exact' | 'prefix' | 'near' }

type Word = { readonly number: number | undefined; isFound: boolean }

/** A query in the words of one index. */
export class Reading {
  readonly typed: readonly { readonly text: string; readonly forms: readonly string[] }[]
  /** The words that are looked for exactly, sorted, because sums of floating point depend on their order. */
  readonly words: readonly Word[]
  /** How many documents have each of the words. */
  readonly found: readonly number[]
  readonly #vocabulary: Vocabulary
  readonly #byText: ReadonlyMap<string, Word>
  readonly #beginnings = new Map<number, Set<number>>()
  readonly #neighbours = new Map<number, Set<number>>()

  constructor(query: string, vocabulary: Vocabulary, postings: Lists) {
    this.typed = [...new Map(typedWords(query).map(typed => [typed.text, typed])).values()]
    const texts = [...new Set(this.typed.flatMap(({ forms }) => forms.map(wordOf)))].sort()
    this.words = texts.map(text => ({ number: vocabulary.find(text), isFound: false }))
    this.found = this.words.map(({ number }) => (number === undefined ? 0 : postings.lengthOf(number)))
    this.#byText = new Map(texts.map((text, at) => [text, this.words[at]!]))
    this.#vocabulary = vocabulary
  }

  /** Whether documents have a word as it was typed, in any of its forms. */
  isFound(at: number): boolean {
    return this.#wordsOf(at).some(({ isFound }) => isFound)
  }

  /** Words that begin with a typed one, where it is the last, others than itself. */
  beginnings(at: number): Set<number> {
    const found = this.#beginnings.get(at) ?? this.#findBeginnings(at)
    this.#beginnings.set(at, found)
    return found
  }

  /** Words that differ from a typed one in one letter. */
  neighbours(at: number): Set<number> {
    const found = new Set(this.typed[at]!.forms.flatMap(form => [...this.#vocabulary.near(form)]))
    this.#neighbours.set(at, found)
    return found
  }

  /** How each typed word was found in a document that has these words; of what stands elsewhere exactly, if so asked. */
  matched(words: ReadonlySet<number>, onlyBegun: boolean): Match[] {
    return this.typed.flatMap(({ text: word }, at) => {
      const as = this.#foundAs(at, words, onlyBegun)
      return as === undefined ? [] : [{ word, as }]
    })
  }

  #foundAs(at: number, words: ReadonlySet<number>, onlyBegun: boolean): Match['as'] | undefined {
    if (this.#wordsOf(at).some(({ number }) => number !== undefined && words.has(number))) return 'exact'
    if (this.isFound(at) && !onlyBegun) return undefined
    if (meet(this.#beginnings.get(at), words)) return 'prefix'
    return meet(this.#neighbours.get(at), words) ? 'near' : undefined
  }

  #wordsOf(at: number): Word[] {
    return this.typed[at]!.forms.map(form => this.#byText.get(wordOf(form))!)
  }

  #findBeginnings(at: number): Set<number> {
    const found = new Set<number>()
    if (at < this.typed.length - 1) return found
    for (const form of this.typed[at]!.forms) {
      if (form.length < PREFIX_LETTERS_MIN) continue
      for (const word of this.#vocabulary.beginningWith(form)) found.add(word)
    }
    return found
  }
}

const meet = (some: Set<number> | undefined, others: ReadonlySet<number>) =>
  some !== undefined && [...some].some(each => others.has(each))
