/** What is used of resources at which time: steps in order, each until the next one. */
export class Usage {
  readonly #capacities: readonly number[]
  /** Times at which the use changes, and what is used from then on. The last step lasts for ever. */
  readonly #times: number[] = [0]
  readonly #used: number[][]

  constructor(capacities: readonly number[]) {
    this.#capacities = capacities
    this.#used = [capacities.map(() => 0)]
  }

  /** The first time from `from` on at which so much is free for so long. */
  earliest(from: number, duration: number, needs: readonly number[]): number {
    if (duration === 0 || needs.every(units => units === 0)) return from
    let start = from
    for (let at = this.#stepAt(from); at < this.#times.length && this.#times[at]! < start + duration; at += 1) {
      if (!this.#fits(at, needs)) start = this.#times[at + 1]!
    }
    return start
  }

  take(start: number, duration: number, needs: readonly number[]): void {
    if (duration === 0 || needs.every(units => units === 0)) return
    const first = this.#split(start)
    const last = this.#split(start + duration)
    for (let at = first; at < last; at += 1) {
      const used = this.#used[at]!
      for (let n = 0; n < needs.length; n += 1) used[n]! += needs[n]!
    }
  }

  #fits(at: number, needs: readonly number[]): boolean {
    const used = this.#used[at]!
    for (let n = 0; n < needs.length; n += 1) if (used[n]! + needs[n]! > this.#capacities[n]!) return false
    return true
  }

  /** The step that a time lies in. */
  #stepAt(time: number): number {
    let [low, high] = [0, this.#times.length - 1]
    while (low < high) {
      const middle = (low + high + 1) >> 1
      if (this.#times[middle]! <= time) low = middle
      else high = middle - 1
    }
    return low
  }

  /** Makes a step begin at a time, and returns its place. */
  #split(time: number): number {
    const at = this.#stepAt(time)
    if (this.#times[at] === time) return at
    this.#times.splice(at + 1, 0, time)
    this.#used.splice(at + 1, 0, [...this.#used[at]!])
    return at + 1
  }
}
