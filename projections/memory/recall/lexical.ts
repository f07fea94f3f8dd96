/** The leg of words: BM25 (Robertson and Zaragoza 2009) over stems, each language in a part of its own. */
import { Lists } from '../lists.ts'
import { type Filter, normOf, rarityOf, roomFor, Scores, type Scoring } from '../scores.ts'
import { Vocabulary } from '../vocabulary.ts'
import { indexedForms } from '../words.ts'
import { seedOf } from './embedder.ts'
import { type Language, languageOf, stemOf } from './languages.ts'
import { emptyPart, type LexicalState, type Part } from './parts.ts'
import type { Asked, Question } from './question.ts'
import { Runs } from './runs.ts'

/** A text and the weight of its words, a whole number. */
export type Field = readonly [text: string, weight: number]

/** A word of a memory: its number, its seed, and how often the memory has it, weighted. */
export type Counted = {
  readonly word: number
  readonly seed: number
  readonly count: number
  readonly isCommon: boolean
}

/** How a word of the query is found: in which lists, and how much a text gains that has it. */
export type Sought = {
  readonly text: string
  readonly as: 'exact' | 'prefix' | 'near'
  readonly lists: readonly (readonly [Part, number])[]
  readonly rarity: number
  readonly weight: number
  /** Seeds of the word itself, in each language that has it; none where others stand for it. */
  readonly seeds: readonly number[]
}

/** What a beginning, or a word with a wrong letter, counts of what the word itself would. */
const PREFIX_WEIGHT = 0.5
const NEAR_WEIGHT = 0.25
const PREFIX_LETTERS_MIN = 3
/** Stands between the texts of a memory, so that no phrase goes from one into the next. */
const BORDER = 0xffffffff
const K1 = 1.2

export class LexicalLeg {
  readonly parts = new Map<Language, Part>()
  /** Of each memory its part, and its forms in order. */
  readonly #partsOf: (Part | undefined)[] = []
  #sequences = new Runs()
  readonly #totals = { size: 0, length: 0, uses: 0, places: 0 }
  #lengths = new Uint32Array(0)
  #norms = new Float64Array(0)
  #normsMean = Number.NaN
  readonly #some = new Scores()

  /** The leg that a state is of. */
  static of(state: LexicalState): LexicalLeg {
    const leg = new LexicalLeg()
    const parts = state.parts.map(({ language, size, vocabulary, postings }) => {
      const part = { ...emptyPart(language), size, postings: Lists.of(postings) }
      return { ...part, vocabulary: Vocabulary.of(vocabulary, form => stemOf(form, language), part.common) }
    })
    for (const part of parts) leg.parts.set(part.language, part)
    for (const [number, part] of state.partsOf.entries()) leg.#partsOf[number] = parts[part - 1]
    leg.#sequences = Runs.of(state.sequences)
    leg.#lengths = state.lengths.slice()
    Object.assign(leg.#totals, state.totals)
    return leg
  }

  /** All of it, as long as nothing changes. */
  get state(): LexicalState {
    const parts = [...this.parts.values()]
    const numbers = new Map<Part | undefined, number>(parts.map((part, at) => [part, at + 1]))
    return {
      parts: parts.map(({ language, size, vocabulary, postings }) => {
        return { language, size, vocabulary: vocabulary.state, postings: postings.state }
      }),
      partsOf: Uint16Array.from(this.#partsOf, part => numbers.get(part) ?? 0),
      sequences: this.#sequences.state,
      lengths: this.#lengths,
      totals: this.#totals,
    }
  }

  get bytes(): number {
    const forms = [...this.parts.values()].reduce((sum, { vocabulary }) => sum + vocabulary.size, 0)
    return 14 * this.#totals.uses + 4 * this.#totals.places + 176 * forms + 140 * this.#totals.size
  }

  get size(): number {
    return this.#totals.size
  }

  /** Numbers of memories end before this. */
  get end(): number {
    return this.#partsOf.length
  }

  /** The part that a memory stands in. */
  partOf(number: number): Part {
    return this.#partsOf[number]!
  }

  /** The forms of a memory in order, by the numbers of its part; `0xffffffff` between its texts. */
  sequenceOf(number: number): Uint32Array {
    return this.#sequences.get(number)
  }

  /** Takes the texts of a memory that it does not have, and says which words they are. */
  add(number: number, fields: readonly Field[], named?: Language): readonly Counted[] {
    const texts = fields.map(([text]) => indexedForms(text))
    const language = named ?? languageOf(texts.flat())
    const part = this.#partFor(language)
    const { vocabulary } = part
    const counts = new Map<number, { word: number; seed: number; count: number; isCommon: boolean }>()
    const sequence: number[] = []
    let length = 0
    for (const [at, forms] of texts.entries()) {
      if (at > 0) sequence.push(BORDER)
      for (const form of forms) {
        const weight = fields[at]![1]
        const place = vocabulary.formOf(form)
        vocabulary.use(place)
        sequence.push(place)
        const word = vocabulary.wordOf(place)
        let counted = counts.get(word)
        if (counted) counted.count += weight
        else {
          counted = { word, seed: vocabulary.seedOf(place), count: weight, isCommon: vocabulary.isCommon(place) }
          counts.set(word, counted)
        }
        // The length of a memory is that of what it says: function words only carry it.
        if (!counted.isCommon) length += weight
      }
    }
    for (const { word, count } of counts.values()) part.postings.insert(word, number, count)
    this.#partsOf[number] = part
    this.#sequences.set(number, sequence)
    this.#lengths = roomFor(this.#lengths, number)
    this.#lengths[number] = length
    this.#count(1, length, counts.size, sequence.length, part)
    return [...counts.values()]
  }

  /** Forgets a memory, and says which words it had. */
  remove(number: number): readonly number[] {
    const [part, sequence, length] = [this.#partsOf[number]!, this.#sequences.get(number), this.#lengths[number]!]
    const words = new Set<number>()
    for (const form of sequence) if (form !== BORDER) words.add(part.vocabulary.wordOf(form))
    for (const word of words) part.postings.remove(word, number)
    for (const form of sequence) if (form !== BORDER) part.vocabulary.release(form)
    this.#count(-1, length, words.size, sequence.length, part)
    this.#sequences.delete(number)
    this.#partsOf[number] = undefined
    this.#lengths[number] = 0
    if (part.size === 0) this.parts.delete(part.language)
    return [...words]
  }

  /** How the words of a query are found here. */
  sought({ words }: Question): Sought[] {
    const all = words.flatMap((asked, at) => this.#soughtAs(asked, at === words.length - 1))
    // Inflections of one word are asked for once.
    return [...new Map(all.map(each => [placesOf(each.lists), each])).values()]
  }

  /** Scores every memory that has one of the words and passes the filter. */
  score(sought: readonly Sought[], filter: Filter, scores: Scores): void {
    scores.reset(this.#partsOf.length)
    for (const { as, lists, rarity, weight } of sought) {
      if (as === 'exact') {
        for (const [part, list] of lists) scores.add(this.#scoring(part, filter), list, rarity)
      } else {
        this.#some.reset(this.#partsOf.length)
        for (const [part, list] of lists) this.#some.take(this.#scoring(part, filter), [list])
        scores.merge(this.#some, weight * rarity)
      }
    }
  }

  /** What each word of the query gave a memory; their sum is its score. */
  explain(number: number, sought: readonly Sought[]): { word: string; as: Sought['as']; score: number }[] {
    const part = this.#partsOf[number]!
    const norm = this.#normsNow()[number]!
    return sought.flatMap(({ text, as, lists, rarity, weight }) => {
      const counts = lists.map(([of, list]) => (of === part ? of.postings.countOf(list, number) : 0))
      const count = Math.max(0, ...counts)
      if (count === 0) return []
      const gain = rarity * ((count * (K1 + 1)) / (count + norm))
      return [{ word: text, as, score: as === 'exact' ? gain : weight * gain }]
    })
  }

  /** The memories that have these words one behind the other, and what that is worth: the rarity of all of them. */
  withPhrase(phrase: readonly string[]): { readonly numbers: readonly number[]; readonly worth: number } {
    const numbers: number[] = []
    let found = 0
    for (const part of this.parts.values()) {
      const words = phrase.flatMap(form => part.vocabulary.find(stemOf(form, part.language)) ?? [])
      if (words.length < phrase.length || words.length === 0) continue
      const [rarest] = words.toSorted((a, b) => part.postings.lengthOf(a) - part.postings.lengthOf(b))
      const start = part.postings.startOf(rarest!)
      for (const number of part.postings.items.subarray(start, start + part.postings.lengthOf(rarest!))) {
        if (this.#stands(words, number, part)) numbers.push(number)
      }
      found += part.postings.lengthOf(rarest!)
    }
    return {
      numbers,
      worth: found === 0 ? 0 : phrase.length * rarityOf(this.#totals.size, Math.min(found, this.#totals.size)),
    }
  }

  #stands(words: readonly number[], number: number, { vocabulary }: Part): boolean {
    const sequence = this.#sequences.get(number)
    const wordAt = (at: number) => (sequence[at] === BORDER ? -1 : vocabulary.wordOf(sequence[at]!))
    for (let at = 0; at + words.length <= sequence.length; at += 1) {
      if (words.every((word, n) => wordAt(at + n) === word)) return true
    }
    return false
  }

  /** The lists of all forms of a word, in every language. */
  listsOf(form: string): (readonly [Part, number])[] {
    return [...this.parts.values()].flatMap(part => {
      const word = part.vocabulary.find(stemOf(form, part.language))
      return word === undefined ? [] : [[part, word] as const]
    })
  }

  #soughtAs({ text, forms }: Asked, isLast: boolean): Sought[] {
    const lists = forms.flatMap(form => this.listsOf(form))
    const stems = new Set(lists.flatMap(([{ language }]) => forms.map(form => stemOf(form, language))))
    if (lists.length > 0) return [{ ...this.#seek(text, 'exact', lists, 1), seeds: [...stems].sort().map(seedOf) }]
    const begun = isLast ? this.#others(forms, form => form.length >= PREFIX_LETTERS_MIN, 'beginningWith') : []
    if (begun.length > 0) return [this.#seek(text, 'prefix', begun, PREFIX_WEIGHT)]
    const near = this.#others(forms, () => true, 'near')
    return near.length > 0 ? [this.#seek(text, 'near', near, NEAR_WEIGHT)] : []
  }

  #others(forms: readonly string[], isLookedFor: (form: string) => boolean, how: 'beginningWith' | 'near') {
    const found: (readonly [Part, number])[] = []
    for (const part of this.parts.values()) {
      const words = new Set(forms.filter(isLookedFor).flatMap(form => [...part.vocabulary[how](form)]))
      for (const word of words) found.push([part, word])
    }
    return found
  }

  #seek(text: string, as: Sought['as'], lists: Sought['lists'], weight: number): Sought {
    const found = lists.reduce((sum, [{ postings }, list]) => sum + postings.lengthOf(list), 0)
    return {
      text,
      as,
      lists,
      weight,
      seeds: [],
      rarity: rarityOf(this.#totals.size, Math.min(found, this.#totals.size)),
    }
  }

  #scoring({ postings }: Part, filter: Filter): Scoring {
    return { postings, norms: this.#normsNow(), filter }
  }

  /** The part of each memory's length in its scores, at the mean length of now. */
  #normsNow(): Float64Array {
    const mean = Math.max(1, this.#totals.length / this.#totals.size)
    if (this.#normsMean === mean) return this.#norms
    if (this.#norms.length < this.#lengths.length) this.#norms = new Float64Array(this.#lengths.length)
    for (let number = 0; number < this.#partsOf.length; number += 1) {
      this.#norms[number] = normOf(this.#lengths[number]!, mean)
    }
    this.#normsMean = mean
    return this.#norms
  }

  #partFor(language: Language): Part {
    const known = this.parts.get(language)
    if (known) return known
    const part = emptyPart(language)
    this.parts.set(language, part)
    return part
  }

  #count(memories: 1 | -1, length: number, words: number, places: number, part: Part): void {
    const totals = this.#totals
    totals.size += memories
    part.size += memories
    totals.length += memories * length
    totals.uses += memories * words
    totals.places += memories * places
    this.#normsMean = Number.NaN
  }
}

const placesOf = (lists: Sought['lists']) => lists.map(([{ language }, list]) => `${language}/${list}`).join(' ')
