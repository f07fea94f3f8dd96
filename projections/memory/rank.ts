/** Full-text ranking over the memories of one org: BM25 (Robertson and Zaragoza 2009), exact under every change. */
import { Lists } from './lists.ts'
import { type Match, Reading } from './reading.ts'
import { type Filter, normOf, rarityOf, roomFor, Scores, type Scoring } from './scores.ts'
import { type Rank, Top } from './top.ts'
import { Vocabulary } from './vocabulary.ts'
import { formsOf } from './words.ts'

/** A document to index: its key, a kind to filter by, and texts, each with the weight of its words, a whole number. */
export type Document = {
  readonly key: string
  readonly kind: string
  readonly fields: readonly (readonly [text: string, weight: number])[]
}

/** What scores were computed with: documents, words in them, and documents of each word in the order of the search. */
type Statistics = { readonly documents: number; readonly length: number; readonly found: readonly number[] }

/** Where a hit stands, for the search that goes on behind it. */
export type Place = Rank & { readonly statistics: Statistics }

/** A document that was found, and how each word of the query was. Scores compare only within one answer. */
export type Ranked = {
  readonly key: string
  readonly score: number
  readonly matched: readonly Match[]
  readonly place: Place
}

export type Paging = {
  readonly limit?: number
  /** The place of the last hit before: scores are computed with its statistics, so that they have not moved since. */
  readonly after?: Place | undefined
}

const LIMIT_DEFAULT = 10
/** What a word takes of memory in each document, and a form in the vocabulary, about. */
const POSTING_BYTES = 14
const FORM_BYTES = 160
/** Scores are rounded to this, so that they compare equal wherever they are computed. */
const SCORE_STEP = 1e-6
/** What a beginning, or a word with a wrong letter, counts of what the word itself would. */
const PREFIX_WEIGHT = 0.5
const NEAR_WEIGHT = 0.25
/** Beginnings that nearly every document has count as this rare, so that words with a wrong letter fit below them. */
const RARITY_MIN = 0.05
/** Hits with a word as it was typed, and those that have but a beginning of the last one. */
const [FOUND, BEGUN] = [0, 1]

/**
 * An inverted index of numbered documents. Adding and removing keep every count exact, so an index that has followed
 * changes gives the same scores, in the same order, as one that was built anew from the same documents.
 */
export class RankedIndex {
  readonly #numbers = new Map<string, number>()
  readonly #keys: string[] = []
  readonly #forms: (Uint32Array | undefined)[] = []
  readonly #free: number[] = []
  readonly #kinds = new Map<string, number>()
  #kindOf = new Uint16Array(0)
  #lengths = new Uint32Array(0)
  #length = 0
  /** Forms of all documents, each as often as documents have it. */
  #uses = 0
  readonly #vocabulary = new Vocabulary()
  /** Of each word, the documents that have it, and how often, weighted. */
  readonly #postings = new Lists()
  #norms = new Float64Array(0)
  #normsMean = Number.NaN
  readonly #scores = new Scores()
  readonly #begun = new Scores()
  readonly #near = new Scores()

  get size(): number {
    return this.#numbers.size
  }

  /** What it takes of memory, about. */
  get bytes(): number {
    return POSTING_BYTES * this.#uses + FORM_BYTES * this.#vocabulary.size
  }

  /** Adds a document, in place of the one with the same key if there is one. */
  set({ key, kind, fields }: Document): void {
    this.delete(key)
    const number = this.#free.pop() ?? this.#keys.length
    const forms = new Set<number>()
    const counts = new Map<number, number>()
    let length = 0
    for (const [text, weight] of fields) {
      for (const written of formsOf(text)) {
        const form = this.#vocabulary.formOf(written)
        forms.add(form)
        const word = this.#vocabulary.wordOf(form)
        counts.set(word, (counts.get(word) ?? 0) + weight)
        length += weight
      }
    }
    for (const form of forms) this.#vocabulary.use(form)
    for (const [word, count] of counts) this.#postings.insert(word, number, count)
    this.#numbers.set(key, number)
    this.#keys[number] = key
    this.#forms[number] = Uint32Array.from(forms)
    this.#uses += forms.size
    this.#kindOf = roomFor(this.#kindOf, number)
    this.#kindOf[number] = this.#kindNumberOf(kind)
    this.#lengths = roomFor(this.#lengths, number)
    this.#lengths[number] = length
    this.#length += length
    this.#normsMean = Number.NaN
  }

  delete(key: string): void {
    const number = this.#numbers.get(key)
    if (number === undefined) return
    const forms = this.#forms[number]!
    for (const word of this.#wordsIn(number)) this.#postings.remove(word, number)
    for (const form of forms) this.#vocabulary.release(form)
    this.#uses -= forms.length
    this.#numbers.delete(key)
    this.#keys[number] = ''
    this.#forms[number] = undefined
    this.#free.push(number)
    this.#length -= this.#lengths[number]!
    this.#normsMean = Number.NaN
  }

  /** Documents with at least one of the words, best first; equal scores in the order of their keys. */
  search(query: string, kinds?: readonly string[], { limit = LIMIT_DEFAULT, after }: Paging = {}): readonly Ranked[] {
    const { documents, length, found: known } = after?.statistics ?? { documents: this.size, length: this.#length }
    if (documents === 0) return []
    const norms = this.#normsFor(length / documents)
    const scoring: Scoring = { postings: this.#postings, norms, filter: this.#filterOf(kinds) }
    const reading = new Reading(query, this.#vocabulary, this.#postings)
    const found = known ? [...known] : [...reading.found, ...reading.typed.flatMap(() => [0, 0])]
    this.#scores.reset(this.#keys.length)
    this.#scoreWords(scoring, reading, documents, found)
    for (const at of reading.typed.keys()) this.#scoreUnknown(scoring, reading, at, documents, found)
    const top = new Top(limit, after)
    this.#offer(top, FOUND, this.#scores, 1)
    if (!top.full) this.#offerBegun(scoring, reading, documents, found, top)
    const statistics = { documents, length, found }
    return top.sorted().map(({ tier, score, key, number }) => ({
      key,
      score,
      matched: reading.matched(this.#wordsIn(number), tier === BEGUN),
      place: { tier, score, key, statistics },
    }))
  }

  /** Scores the words that documents have as they were typed. */
  #scoreWords(scoring: Scoring, { words }: Reading, documents: number, found: readonly number[]): void {
    for (const [at, word] of words.entries()) {
      if (word.number === undefined || !(found[at]! > 0)) continue
      const before = this.#scores.count
      this.#scores.add(scoring, word.number, rarityOf(documents, found[at]!))
      word.isFound = this.#scores.count > before || isReached(scoring, word.number)
    }
  }

  /** Scores what stands for a word that no document has: its continuations where it is the last, and its neighbours. */
  #scoreUnknown(scoring: Scoring, reading: Reading, at: number, documents: number, found: number[]): void {
    if (reading.isFound(at)) return
    const place = reading.words.length + 2 * at
    const prefix = reading.beginnings(at)
    this.#begun.reset(this.#keys.length)
    this.#begun.take(scoring, prefix)
    const weight = PREFIX_WEIGHT * rarityAt(found, place, documents, this.#begun.count)
    this.#near.reset(this.#keys.length)
    this.#near.take(scoring, reading.neighbours(at), this.#begun)
    const below = (0.9 * weight * this.#begun.bounds().least) / this.#near.bounds().most
    const nearWeight = NEAR_WEIGHT * rarityAt(found, place + 1, documents, this.#near.count)
    this.#scores.merge(this.#begun, weight)
    this.#scores.merge(this.#near, this.#begun.count > 0 ? Math.min(nearWeight, below) : nearWeight)
  }

  /** Offers documents that have nothing but a continuation of the last word, which others have as it was typed. */
  #offerBegun(scoring: Scoring, reading: Reading, documents: number, found: number[], top: Top): void {
    const last = reading.typed.length - 1
    if (last < 0 || !reading.isFound(last)) return
    this.#begun.reset(this.#keys.length)
    this.#begun.take(scoring, reading.beginnings(last), this.#scores)
    const weight = PREFIX_WEIGHT * rarityAt(found, reading.words.length + 2 * last, documents, this.#begun.count)
    this.#offer(top, BEGUN, this.#begun, weight)
  }

  #offer(top: Top, tier: number, { values, reached, count }: Scores, weight: number): void {
    let least = top.leastOf(tier) - SCORE_STEP
    for (let at = 0; at < count; at += 1) {
      const number = reached[at]!
      const exact = weight * values[number]!
      if (exact < least) continue
      const score = Math.round(exact / SCORE_STEP) / (1 / SCORE_STEP)
      top.offer({ tier, score, key: this.#keys[number]!, number })
      least = top.leastOf(tier) - SCORE_STEP
    }
  }

  #wordsIn(number: number): Set<number> {
    const words = new Set<number>()
    for (const form of this.#forms[number]!) words.add(this.#vocabulary.wordOf(form))
    return words
  }

  #kindNumberOf(kind: string): number {
    const number = this.#kinds.get(kind) ?? this.#kinds.size
    this.#kinds.set(kind, number)
    return number
  }

  #filterOf(kinds: readonly string[] | undefined): Filter {
    if (!kinds || [...this.#kinds.keys()].every(kind => kinds.includes(kind))) return undefined
    const open = new Uint8Array(this.#kinds.size)
    for (const [kind, number] of this.#kinds) open[number] = kinds.includes(kind) ? 1 : 0
    return { kinds: this.#kindOf, open }
  }

  /** The part of each document's length in its scores, where documents have so many words on average. */
  #normsFor(mean: number): Float64Array {
    if (this.#normsMean === mean) return this.#norms
    if (this.#norms.length < this.#keys.length) this.#norms = new Float64Array(Math.ceil(this.#keys.length * 1.25))
    for (let number = 0; number < this.#keys.length; number += 1) {
      this.#norms[number] = normOf(this.#lengths[number]!, mean)
    }
    this.#normsMean = mean
    return this.#norms
  }
}

/** Whether a search with this filter sees any document of a list. */
function isReached({ postings, filter }: Scoring, list: number): boolean {
  if (!filter) return postings.lengthOf(list) > 0
  const end = postings.startOf(list) + postings.lengthOf(list)
  for (let at = postings.startOf(list); at < end; at += 1) {
    if (filter.open[filter.kinds[postings.items[at]!]!] === 1) return true
  }
  return false
}

/** The rarity of what stands for a word, by the count that the statistics have or else by this one, which they keep. */
function rarityAt(found: number[], place: number, documents: number, count: number): number {
  if (!(found[place]! > 0)) found[place] = Math.min(count, documents)
  return Math.max(RARITY_MIN, rarityOf(documents, found[place]!))
}
