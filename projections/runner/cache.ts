import type { Row } from '../rows/tables.ts'

/**
 * Rows of one projection in memory, so that hot keys are loaded once; `null` is the knowledge that there is no row. Two
 * generations bound it: when the young one is full it becomes the old one, and rows of the old one that were not asked
 * for since are forgotten. A row stays for at least one turn after it was set, which is longer than its batch is in
 * flight: a cache that evicts single rows could load such a row from the database as it was before the batch.
 */
export class RowCache {
  readonly #max: number
  #young = new Map<string, Row | null>()
  #old = new Map<string, Row | null>()

  constructor(max: number) {
    this.#max = max
  }

  /** The row, `null` where it is known to be absent, `undefined` where it must be loaded. */
  get(key: string): Row | null | undefined {
    const young = this.#young.get(key)
    if (young !== undefined) return young
    const old = this.#old.get(key)
    if (old !== undefined) this.#young.set(key, old)
    return old
  }

  set(key: string, row: Row | null): void {
    this.#young.set(key, row)
  }

  /** Forgets rows where there are too many; called once per batch, after its fold. */
  turn(): void {
    if (this.#young.size < this.#max) return
    this.#old = this.#young
    this.#young = new Map()
  }

  get size(): number {
    return this.#young.size + this.#old.size
  }
}
