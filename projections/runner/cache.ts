import type { Row } from '../rows/tables.ts'

/** What is known of a row: `null` says that there is none, `undefined` that it must be loaded. */
export type Known = { readonly key: Row; readonly text: string; row: Row | null | undefined }

/**
 * Rows of one projection in memory, so that hot keys are loaded once. Two generations bound it: when the young one is
 * full it becomes the old one, and rows of the old one that were not asked for since are forgotten. A row stays for at
 * least one turn after it was asked for, which is longer than its batch is in flight: a cache that evicts single rows
 * could load such a row from the database as it was before the batch.
 */
export class RowCache {
  readonly #max: number
  #young = new Map<string, Known>()
  #old = new Map<string, Known>()

  constructor(max: number) {
    this.#max = max
  }

  /** What is known of the row of a key, by the key's text. */
  of(text: string, key: Row): Known {
    const young = this.#young.get(text)
    if (young !== undefined) return young
    const known = this.#old.get(text) ?? { key, text, row: undefined }
    this.#young.set(text, known)
    return known
  }

  /** Forgets rows where there are too many; called once per batch, after its fold. */
  turn(): void {
    if (this.#young.size < this.#max) return
    this.#old = this.#young
    this.#young = new Map()
  }
}
