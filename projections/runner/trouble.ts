import type { RunnerLog } from './runner.ts'

const BACKOFF_MIN_MS = 50
const BACKOFF_MAX_MS = 5_000

/** What keeps a runner from working: how often it was tried in vain, and when to try again. */
export class Trouble {
  readonly #log: RunnerLog
  #attempts = 0
  #last: Error | undefined
  #notBefore = 0
  #inBatches = false

  constructor(log: RunnerLog) {
    this.#log = log
  }

  /** What an engine said last, while it does not answer. */
  get last(): Error | undefined {
    return this.#attempts > 0 ? this.#last : undefined
  }

  /** How long to wait before the next try, in milliseconds. */
  get waitMs(): number {
    return this.#attempts > 0 ? Math.max(0, this.#notBefore - performance.now()) : 0
  }

  /** A round of decisions could not be taken. */
  roundFailed(error: unknown): void {
    this.#failed(error, 'the projector cannot reach an engine')
  }

  roundDone(): void {
    if (!this.#inBatches) this.#attempts = 0
  }

  batchFailed(error: unknown): void {
    this.#inBatches = true
    this.#failed(error, 'a batch could not be written')
  }

  /** A reader tries again by itself. */
  readerFailed(error: Error, attempt: number, delayMs: number): void {
    this.#inBatches = true
    this.#attempts = Math.max(1, this.#attempts)
    this.#last = error
    this.#log.warn({ err: error, attempt, delay_ms: delayMs }, 'the event store does not answer')
  }

  /** A batch was written, or a reader has delivered all there is. */
  recovered(): void {
    if (this.#attempts > 0) this.#log.info({}, 'the projector goes on')
    this.#inBatches = false
    this.#attempts = 0
  }

  #failed(error: unknown, message: string): void {
    this.#attempts += 1
    this.#last = error instanceof Error ? error : new Error(String(error))
    const delayMs = Math.min(BACKOFF_MAX_MS, BACKOFF_MIN_MS * 2 ** this.#attempts)
    this.#notBefore = performance.now() + delayMs
    this.#log.warn({ err: error, delay_ms: delayMs, attempt: this.#attempts }, message)
  }
}

/** A wait that can be cut short; being poked while nobody waits cuts the next one. */
export class Nudge {
  #poked = false
  #wake: (() => void) | undefined

  poke(): void {
    this.#poked = true
    this.#wake?.()
  }

  async wait(ms: number): Promise<void> {
    if (!this.#poked) {
      await new Promise<void>(resolve => {
        const timer = setTimeout(resolve, Math.max(ms, 1))
        this.#wake = () => {
          clearTimeout(timer)
          resolve()
        }
      })
    }
    this.#wake = undefined
    this.#poked = false
  }
}
