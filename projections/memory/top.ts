/** The first few of many candidates, in the order of answers. */

/** Where a hit stands in the order of answers: lower tiers first, then higher scores, then keys. */
export type Rank = { readonly tier: number; readonly score: number; readonly key: string }

export type Candidate = Rank & { readonly number: number }

/** Below 0 where `a` comes before `b`. */
const compare = (a: Rank, b: Rank): number =>
  a.tier - b.tier || b.score - a.score || (a.key < b.key ? -1 : a.key > b.key ? 1 : 0)

/** Keeps the first `limit` of the candidates behind `after`, in a heap with the last of them on top. */
export class Top {
  readonly #limit: number
  readonly #after: Rank | undefined
  readonly #heap: Candidate[] = []

  constructor(limit: number, after?: Rank) {
    this.#limit = limit
    this.#after = after
  }

  get full(): boolean {
    return this.#heap.length >= this.#limit
  }

  /** The last of the candidates once there are as many as are kept: what comes behind it is of no use. */
  get last(): Rank | undefined {
    return this.full ? this.#heap[0] : undefined
  }

  /** The lowest score of a tier that can still come in: says so without the keys of its candidates. */
  leastOf(tier: number): number {
    const last = this.#heap[0]
    if (!this.full || (last && tier < last.tier)) return Number.NEGATIVE_INFINITY
    return last && tier === last.tier ? last.score : Number.POSITIVE_INFINITY
  }

  offer(candidate: Candidate): void {
    if (this.#limit < 1 || (this.#after && compare(candidate, this.#after) <= 0)) return
    if (!this.full) {
      this.#heap.push(candidate)
      this.#rise(this.#heap.length - 1)
    } else if (compare(candidate, this.#heap[0]!) < 0) {
      this.#heap[0] = candidate
      this.#sink()
    }
  }

  /** The candidates that were kept, in order. */
  sorted(): readonly Candidate[] {
    return this.#heap.toSorted(compare)
  }

  #rise(at: number): void {
    while (at > 0) {
      const parent = (at - 1) >> 1
      if (compare(this.#heap[at]!, this.#heap[parent]!) <= 0) return
      this.#swap(at, parent)
      at = parent
    }
  }

  #sink(): void {
    for (let at = 0; ; ) {
      let last = at
      for (const child of [2 * at + 1, 2 * at + 2]) {
        if (child < this.#heap.length && compare(this.#heap[child]!, this.#heap[last]!) > 0) last = child
      }
      if (last === at) return
      this.#swap(at, last)
      at = last
    }
  }

  #swap(a: number, b: number): void {
    const kept = this.#heap[a]!
    this.#heap[a] = this.#heap[b]!
    this.#heap[b] = kept
  }
}
