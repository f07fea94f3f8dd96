/** Units that a job needs of a resource, which it names by its place. */
export type Need = readonly [resource: number, units: number]

/** What is used of resources at which time. */
export class Usage {
  readonly #timelines: readonly Timeline[]

  constructor(capacities: readonly number[]) {
    this.#timelines = capacities.map(capacity => new Timeline(capacity))
  }

  /** How many steps of timelines were looked at so far: what this costs. */
  get looked(): number {
    return this.#timelines.reduce((sum, { looked }) => sum + looked, 0)
  }

  /** The first time from `from` on at which so much is free for so long. */
  earliest(from: number, duration: number, needs: readonly Need[]): number {
    let start = from
    for (let before = -1; before !== start && duration > 0; ) {
      before = start
      for (const [resource, units] of needs) start = this.#timelines[resource]!.earliest(start, duration, units)
    }
    return start
  }

  take(start: number, duration: number, needs: readonly Need[]): void {
    if (duration === 0) return
    for (const [resource, units] of needs) this.#timelines[resource]!.take(start, start + duration, units)
  }
}

/** What is used of one resource: steps in order, each until the next one. */
class Timeline {
  readonly #capacity: number
  /** Times at which the use changes, and what is used from then on. The last step lasts for ever. */
  readonly #times: number[] = [0]
  readonly #used: number[] = [0]
  looked = 0

  constructor(capacity: number) {
    this.#capacity = capacity
  }

  earliest(from: number, duration: number, units: number): number {
    if (units === 0) return from
    let start = from
    const first = this.#stepAt(from)
    let at = first
    for (; at < this.#times.length && this.#times[at]! < start + duration; at += 1) {
      if (this.#used[at]! + units > this.#capacity) start = this.#times[at + 1]!
    }
    this.looked += at - first
    return start
  }

  take(start: number, end: number, units: number): void {
    if (units === 0) return
    const first = this.#split(start)
    const last = this.#split(end)
    for (let at = first; at < last; at += 1) this.#used[at]! += units
    this.looked += last - first
    // Steps of the same use become one, so that a timeline without gaps stays short.
    for (const at of [last, first]) {
      if (at === 0 || this.#used[at] !== this.#used[at - 1]) continue
      this.#times.splice(at, 1)
      this.#used.splice(at, 1)
    }
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
    this.#used.splice(at + 1, 0, this.#used[at]!)
    return at + 1
  }
}
