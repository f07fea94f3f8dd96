/** Scores of documents by their numbers, in arrays as long as there are documents. */
import { type Lists, resized } from './lists.ts'

/** BM25's parameters, with their usual values: how soon repeated words stop to count, and how much length does. */
const K1 = 1.2
const B = 0.75

/** How rare a word is that `found` of `documents` have. */
export const rarityOf = (documents: number, found: number): number =>
  Math.log(1 + (documents - found + 0.5) / (found + 0.5))

/** What the length of a document adds to the divisor of each of its counts. */
export const normOf = (length: number, mean: number): number => K1 * (1 - B + (B * length) / mean)

/** Which documents count: their kinds by number, and whether each kind is asked about; without it all are. */
export type Filter = { readonly kinds: Uint16Array; readonly open: Uint8Array } | undefined

/** Whether a document passes a filter. */
export const isOpen = (filter: Filter, number: number): boolean => !filter || filter.open[filter.kinds[number]!] === 1

/** What every list of a search is scored with. */
export type Scoring = { readonly postings: Lists; readonly norms: Float64Array; readonly filter: Filter }

/** A score for each document; documents that no list reached have 0. */
export class Scores {
  values = new Float64Array(0)
  /** The documents that have a score, the first `count` places. */
  reached = new Uint32Array(0)
  count = 0

  /** Forgets all scores, and makes room for so many documents. */
  reset(size: number): void {
    if (this.values.length < size) {
      this.values = new Float64Array(Math.ceil(size * 1.25))
      this.reached = new Uint32Array(this.values.length)
    } else for (let at = 0; at < this.count; at += 1) this.values[this.reached[at]!] = 0
    this.count = 0
  }

  /** Adds the BM25 of one word to each document of its list. */
  add({ postings, norms, filter }: Scoring, list: number, rarity: number): void {
    const { values, reached } = this
    const { items, counts } = postings
    const end = postings.startOf(list) + postings.lengthOf(list)
    let reachedCount = this.count
    for (let at = postings.startOf(list); at < end; at += 1) {
      const number = items[at]!
      if (filter && filter.open[filter.kinds[number]!] === 0) continue
      const count = counts[at]!
      const before = values[number]!
      if (before === 0) reached[reachedCount++] = number
      values[number] = before + rarity * ((count * (K1 + 1)) / (count + norms[number]!))
    }
    this.count = reachedCount
  }

  /** Gives each document of the lists the largest of its counts there, none that has a score in `without`. */
  take({ postings, norms, filter }: Scoring, lists: Iterable<number>, without?: Scores): void {
    const { values, reached } = this
    const { items, counts } = postings
    for (const list of lists) {
      const end = postings.startOf(list) + postings.lengthOf(list)
      for (let at = postings.startOf(list); at < end; at += 1) {
        const number = items[at]!
        if ((filter && filter.open[filter.kinds[number]!] === 0) || (without && without.values[number]! > 0)) continue
        const count = counts[at]!
        const saturated = (count * (K1 + 1)) / (count + norms[number]!)
        const before = values[number]!
        if (before === 0) reached[this.count++] = number
        if (saturated > before) values[number] = saturated
      }
    }
  }

  /** Adds to the score of one document. */
  gain(number: number, score: number): void {
    if (score === 0) return
    const before = this.values[number]!
    if (before === 0) this.reached[this.count++] = number
    this.values[number] = before + score
  }

  /** The documents that have a score, until the next change. */
  numbers(): Uint32Array {
    return this.reached.subarray(0, this.count)
  }

  /** The least and the largest score that a document has. */
  bounds(): { readonly least: number; readonly most: number } {
    let [least, most] = [Number.POSITIVE_INFINITY, 0]
    for (let at = 0; at < this.count; at += 1) {
      const value = this.values[this.reached[at]!]!
      if (value < least) least = value
      if (value > most) most = value
    }
    return { least, most }
  }

  /** Adds the scores of others, each times a weight. */
  merge(others: Scores, weight: number): void {
    for (let at = 0; at < others.count; at += 1) {
      const number = others.reached[at]!
      const before = this.values[number]!
      if (before === 0) this.reached[this.count++] = number
      this.values[number] = before + weight * others.values[number]!
    }
  }
}

/** An array with room for a number, twice as large where it has none. */
export const roomFor = <A extends Uint16Array | Uint32Array>(array: A, number: number): A =>
  number < array.length ? array : resized(array, Math.max(64, 2 * number))
