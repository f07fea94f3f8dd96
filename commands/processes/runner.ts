/** Runs processes: one reader of the log for all of them, each with a checkpoint of its own. */
import type { StoredEvent } from '../../domain/kernel/event.ts'
import { Follower, type FollowerDeps } from './follower.ts'
import { paused } from './pause.ts'
import type { AnyProcess } from './process.ts'

/** Events on their way at which reading waits; events left behind at which it stops, because all seems to be wrong. */
const ACTIVE_MAX = 512
const LEFT_MAX = 1_000
/** How often checkpoints are written and operators' decisions looked for. */
const SAVE_MS = 500
const EVENTS_MAX = 256

export type RunnerDeps = FollowerDeps & {
  readonly processes: readonly AnyProcess[]
  /** The domain events after a position, stored ones first, then new ones as they come, until `signal` aborts. */
  readonly follow: (options: {
    readonly after: bigint
    readonly max: () => number
    readonly signal: AbortSignal
    readonly onStatus: (status: { readonly state: string; readonly error?: Error }) => void
  }) => AsyncIterable<readonly StoredEvent[]>
  readonly saveMs?: number
}

/** How a process is doing in this worker. */
export type ProcessHealth = {
  readonly process: string
  readonly position: bigint
  readonly active: number
  readonly waiting: number
  readonly parked: number
}

export class ProcessRunner {
  readonly #deps: RunnerDeps
  #followers: readonly Follower[] = []
  #reading: Error | undefined
  #room: (() => void) | undefined
  #arrival: (() => void) | undefined

  constructor(deps: RunnerDeps) {
    this.#deps = deps
  }

  /** How the processes are doing; none while another worker runs them. */
  get processes(): readonly ProcessHealth[] {
    return this.#followers.map(({ process, position, active, left }) => ({
      process: process.name,
      position,
      active,
      ...left,
    }))
  }

  /** The error of an engine that keeps it from working, while there is one. */
  get trouble(): Error | undefined {
    return this.#reading ?? this.#followers.find(({ trouble }) => trouble)?.trouble
  }

  /** Whether so much is left behind that no further event is taken. */
  get isFull(): boolean {
    return this.#followers.some(({ left }) => left.waiting >= LEFT_MAX)
  }

  /** Works until the signal aborts, and then writes how far it has come. Throws where another worker took over. */
  async run(signal: AbortSignal): Promise<void> {
    const stop = new AbortController()
    const abort = () => stop.abort()
    signal.addEventListener('abort', abort, { once: true })
    try {
      const begun: Follower[] = []
      this.#followers = begun // As they begin: where the next one cannot, those before it are ended too.
      for (const process of this.#deps.processes) {
        begun.push(await Follower.begin(this.#deps, process, stop.signal, () => this.#room?.()))
      }
      const failed = (error: unknown) => {
        abort()
        throw error
      }
      await Promise.all([this.#read(stop.signal).catch(failed), this.#keep(stop.signal).catch(failed)])
    } finally {
      abort()
      signal.removeEventListener('abort', abort)
      await Promise.all(this.#followers.map(follower => follower.ended()))
      this.#followers = []
    }
  }

  async #read(signal: AbortSignal): Promise<void> {
    const after = leastOf(this.#followers.map(({ position }) => position))
    const onStatus = ({ error }: { readonly error?: Error }) => {
      this.#reading = error
    }
    for await (const events of this.#deps.follow({ after, max: () => EVENTS_MAX, signal, onStatus })) {
      for (const event of events) for (const follower of this.#followers) follower.take(event)
      this.#arrival?.()
      while (!signal.aborted && !this.#hasRoom()) {
        await until(signal, end => {
          this.#room = end
        })
      }
    }
  }

  #hasRoom(): boolean {
    return this.#followers.every(({ active, left }) => active < ACTIVE_MAX && left.waiting < LEFT_MAX)
  }

  /** Writes checkpoints and acts on decisions until the signal aborts; then once more, when all is at rest. */
  async #keep(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      await paused(this.#deps.saveMs ?? SAVE_MS, signal)
      for (const follower of this.#followers) {
        await follower.decide().catch(error => {
          follower.trouble = error
        })
        await follower.save()
      }
      if (!this.#followers.every(({ isAtRest }) => isAtRest)) continue
      await until(signal, end => {
        this.#arrival = end
      })
    }
    await Promise.all(this.#followers.map(follower => follower.ended()))
    for (const follower of this.#followers) await follower.save(true)
  }
}

/** Waits until the signal aborts, or what `begin` was given is called. */
function until(signal: AbortSignal, begin: (end: () => void) => void): Promise<void> {
  return new Promise(resolve => {
    const end = () => {
      signal.removeEventListener('abort', end)
      begin(() => {})
      resolve()
    }
    signal.addEventListener('abort', end, { once: true })
    begin(end)
    if (signal.aborted) end()
  })
}

function leastOf(positions: readonly bigint[]): bigint {
  let [least = 0n] = positions
  for (const position of positions) if (position < least) least = position
  return least
}
