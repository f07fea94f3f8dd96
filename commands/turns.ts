/** One that waits for its turn, and how it is answered. */
export type Waiting<T, R> = {
  readonly item: T
  readonly resolve: (result: R) => void
  readonly reject: (error: unknown) => void
}

/** Answers the first of those that wait, and returns how many; where it throws, all of them fail. */
export type Serve<T, R> = (waiting: readonly Waiting<T, R>[]) => Promise<number>

/** Those that are handed over together: as many as one bulk holds. */
const WAITING_MAX = 1_000

/**
 * One turn of a stream after another inside a process, so that only processes race. What comes in while a turn lasts,
 * and what comes in the same tick, is handed to the next turn together, in order.
 */
export class Turns<T, R> {
  readonly #queues = new Map<string, Waiting<T, R>[]>()

  take(stream: string, item: T, serve: Serve<T, R>): Promise<R> {
    return new Promise((resolve, reject) => {
      const queue = this.#queues.get(stream)
      if (queue) queue.push({ item, resolve, reject })
      else {
        const begun = [{ item, resolve, reject }]
        this.#queues.set(stream, begun)
        void this.#work(stream, begun, serve)
      }
    })
  }

  async #work(stream: string, queue: Waiting<T, R>[], serve: Serve<T, R>): Promise<void> {
    await undefined // others of this tick take their places first
    while (queue.length > 0) {
      const handed = queue.slice(0, WAITING_MAX)
      try {
        queue.splice(0, await serve(handed))
      } catch (error) {
        for (const { reject } of queue.splice(0, handed.length)) reject(error)
      }
    }
    this.#queues.delete(stream)
  }
}
