import type { Row } from '../rows/tables.ts'

/**
 * What is known of a row: `null` says that there is none, `undefined` that it must be loaded. `isStored`: whether the
 * table has a row of this key once all batches before the one that is being made are written.
 */
export type Known = { readonly key: Row; readonly text: string; row: Row | null | undefined; isStored: boolean }

/** The text of events, in UTF-16 units, after which a generation of rows is full: rows may hold all of it. */
const TEXT_MAX = 64 * 1024 * 1024

/**
 * Rows of one projection in memory, so that hot keys are loaded once. Two generations bound it: when the young one is
 * full it becomes the old one, and rows of the old one that were not asked for since are forgotten. A row stays for at
 * least one turn after it was asked for, which is longer than its batch is in flight: a cache that evicts single rows
 * could load such a row from the database as it was before the batch.
 *
 * A cache that is `whole` begins where no row is stored: a key that it was never asked for has none.
 */
export class RowCache {
  readonly #max: number
  readonly isWhole: boolean
  readonly #forgotten = new Forgotten()
  #text = 0
  #young = new Map<string, Known>()
  #old = new Map<string, Known>()

  constructor(max: number, isWhole = false) {
    this.#max = max
    this.isWhole = isWhole
  }

  /** What is known of the row of a key, by the key's text. */
  of(text: string, key: Row): Known {
    const young = this.#young.get(text)
    if (young !== undefined) return young
    const known = this.#old.get(text) ?? { key, text, row: this.#isNew(text) ? null : undefined, isStored: false }
    this.#young.set(text, known)
    return known
  }

  /** Forgets rows where there are too many; called once per batch, after its fold, with the text of its events. */
  turn(text: number): void {
    this.#text += text
    if (this.#young.size < this.#max && this.#text < TEXT_MAX) return
    this.#text = 0
    if (this.isWhole) for (const text of this.#old.keys()) if (!this.#young.has(text)) this.#forgotten.add(text)
    this.#old = this.#young
    this.#young = new Map()
  }

  #isNew(text: string): boolean {
    return this.isWhole && !this.#forgotten.has(text)
  }
}

/** The text of a JSON value: what large events are large by. */
export function textIn(value: unknown): number {
  if (typeof value === 'string') return value.length
  if (typeof value !== 'object' || value === null) return 0
  let sum = 0
  for (const name in value) sum += textIn((value as Readonly<Record<string, unknown>>)[name])
  return sum
}

const FILTER_BITS = 2 ** 23
const PROBES = 4

/** Texts that may have been added, or surely were not: a Bloom filter (1970), of a megabyte once it has any. */
class Forgotten {
  #words: Uint32Array | undefined

  add(text: string): void {
    this.#words ??= new Uint32Array(FILTER_BITS / 32)
    for (const bit of bitsOf(text)) this.#words[bit >>> 5]! |= 1 << (bit & 31)
  }

  has(text: string): boolean {
    const words = this.#words
    return words !== undefined && bitsOf(text).every(bit => (words[bit >>> 5]! & (1 << (bit & 31))) !== 0)
  }
}

/** The bits of a text, by two hashes in the manner of FNV-1a. */
function bitsOf(text: string): readonly number[] {
  let [a, b] = [0x811c9dc5, 0x01000193]
  for (let at = 0; at < text.length; at += 1) {
    const unit = text.charCodeAt(at)
    a = Math.imul(a ^ unit, 0x01000193)
    b = Math.imul(b ^ unit, 0x85ebca6b)
  }
  b = (b ^ (b >>> 15)) | 1
  return Array.from({ length: PROBES }, (_, n) => (a + Math.imul(n, b)) >>> (32 - Math.log2(FILTER_BITS)))
}
