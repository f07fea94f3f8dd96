/**
 * A wait that can be cut short. It serves one waiter at a time; a wake that comes while nothing waits ends the next
 * wait at once, so that it is never lost.
 */
export class Waker {
  #isWoken = false
  #end: (() => void) | undefined

  wake(): void {
    this.#isWoken = true
    this.#end?.()
  }

  /** Waits until `wake` is called or `signal` aborts, and for `ms` at the longest. */
  async wait(ms: number, signal?: AbortSignal): Promise<void> {
    if (!this.#isWoken && !signal?.aborted) {
      await new Promise<void>(resolve => {
        const end = () => {
          clearTimeout(timer)
          signal?.removeEventListener('abort', end)
          resolve()
        }
        const timer = setTimeout(end, Math.max(ms, 1))
        signal?.addEventListener('abort', end, { once: true })
        this.#end = end
      })
      this.#end = undefined
    }
    this.#isWoken = false
  }
}
