/** The plain form of the ranking, a map of maps: what `RankedIndex` must agree with, and what it is measured against. */
import type { Document } from '../../projections/memory/rank.ts'
import { wordsOf } from '../../projections/memory/words.ts'

type NaiveHit = { readonly key: string; readonly score: number }

/** BM25's parameters, with their usual values: how soon repeated words stop to count, and how much length does. */
const K1 = 1.2
const B = 0.75
/** Scores are rounded to this, so that they compare equal wherever they are computed. */
const SCORE_STEP = 1e-6

type Entry = { readonly key: string; readonly kind: string; readonly length: number; readonly words: readonly string[] }

/** An inverted index of maps. */
export class NaiveIndex {
  readonly #entries = new Map<string, Entry>()
  /** Word → entry → how often it occurs, weighted. */
  readonly #postings = new Map<string, Map<Entry, number>>()
  #length = 0

  get size(): number {
    return this.#entries.size
  }

  /** Adds a document, in place of the one with the same key if there is one. */
  set({ key, kind, fields }: Document): void {
    this.delete(key)
    const counts = new Map<string, number>()
    let length = 0
    for (const [text, weight] of fields) {
      for (const word of wordsOf(text)) {
        counts.set(word, (counts.get(word) ?? 0) + weight)
        length += weight
      }
    }
    const entry = { key, kind, length, words: [...counts.keys()] }
    for (const [word, count] of counts) {
      const posting = this.#postings.get(word)
      if (posting) posting.set(entry, count)
      else this.#postings.set(word, new Map([[entry, count]]))
    }
    this.#entries.set(key, entry)
    this.#length += length
  }

  delete(key: string): void {
    const entry = this.#entries.get(key)
    if (!entry) return
    for (const word of entry.words) {
      const posting = this.#postings.get(word)!
      posting.delete(entry)
      if (posting.size === 0) this.#postings.delete(word)
    }
    this.#entries.delete(key)
    this.#length -= entry.length
  }

  /** Documents with at least one of the words, best first; equal scores in the order of their keys. */
  search(query: string, kinds?: readonly string[]): readonly NaiveHit[] {
    const scores = new Map<Entry, number>()
    const mean = this.#length / Math.max(1, this.#entries.size)
    // Sorted, because floating point sums depend on their order.
    for (const word of [...new Set(wordsOf(query))].sort()) {
      const posting = this.#postings.get(word)
      if (!posting) continue
      const rarity = Math.log(1 + (this.#entries.size - posting.size + 0.5) / (posting.size + 0.5))
      for (const [entry, count] of posting) {
        if (kinds && !kinds.includes(entry.kind)) continue
        const saturated = (count * (K1 + 1)) / (count + K1 * (1 - B + (B * entry.length) / mean))
        scores.set(entry, (scores.get(entry) ?? 0) + rarity * saturated)
      }
    }
    return [...scores]
      .map(([{ key }, score]) => ({ key, score: Math.round(score / SCORE_STEP) / (1 / SCORE_STEP) }))
      .sort((a, b) => b.score - a.score || (a.key < b.key ? -1 : 1))
  }
}
