/** Pieces of work begun in one turn of the event loop: 20 ms of refusals at most. */
const BEGUN_PER_TURN = 64

/**
 * Begins work a few pieces in each turn of the event loop. All sockets that have something to read are read in one
 * turn: if each of hundreds of reads were begun, or refused, as it comes, whatever cannot wait would wait for all of
 * them. Work that waits is begun by turns among callers, so that none waits behind all reads of another.
 */
export class Slices {
  /** What waits, by caller; the caller whose turn it is comes first. */
  readonly #waiting = new Map<string, (() => void)[]>()
  #begun = 0
  #isCounting = false
  #isHeld = false

  /** Begins `work` at once where nothing waits and few pieces were begun in this turn, otherwise in a later turn. */
  add(caller: string, work: () => void): void {
    this.#count()
    if (!this.#isHeld && this.#waiting.size === 0 && this.#begun < BEGUN_PER_TURN) {
      this.#begun += 1
      work()
      return
    }
    const queue = this.#waiting.get(caller)
    if (queue) queue.push(work)
    else this.#waiting.set(caller, [work])
  }

  /** Begins nothing until `release`. */
  hold(): void {
    this.#isHeld = true
  }

  release(): void {
    this.#isHeld = false
    this.#count()
  }

  /** Counts what is begun until the next turn, and goes on with what waits then. */
  #count(): void {
    if (this.#isCounting) return
    this.#isCounting = true
    setImmediate(() => {
      this.#isCounting = false
      this.#begun = 0
      if (this.#isHeld || this.#waiting.size === 0) return
      this.#count()
      for (; this.#begun < BEGUN_PER_TURN && this.#waiting.size > 0; this.#begun++) this.#next()()
    })
  }

  #next(): () => void {
    const [caller, queue] = this.#waiting.entries().next().value!
    this.#waiting.delete(caller)
    const work = queue.shift()!
    if (queue.length > 0) this.#waiting.set(caller, queue)
    return work
  }
}
