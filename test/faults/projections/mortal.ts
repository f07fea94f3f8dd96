/**
 * A projector in this process that dies at an await of its own: whatever it waits for then never comes. Or it freezes
 * with a batch in its hands, its sessions open, until it is thawed.
 */
import type { Socket } from 'node:net'
import { codec, projections } from '../../../infra/catalogue.ts'
import { silentLog } from '../../../infra/log.ts'
import { createPool, type Pool } from '../../../infra/postgres.ts'
import type { EventLog } from '../../../projections/ports.ts'
import { Runner } from '../../../projections/runner/runner.ts'
import { patient } from '../../support/pace.ts'

/** The part of a query of one's own that `pipeline.ts` has and `pg` calls. */
type Submittable = {
  submit: (connection: { stream: Socket }) => void
  handleReadyForQuery: () => void
  handleError: (error: Error) => void
}

type Work<T> = () => Promise<T>
type Callback = (error: unknown, result?: unknown) => void

const LEASE_MS = 300

export class MortalProjector {
  /** Resolves when it has died or is frozen, with the place. */
  readonly died: Promise<string>
  readonly runner: Runner
  readonly id: string
  readonly #pool: Pool
  readonly #sockets = new Set<Socket>()
  readonly #end = new AbortController()
  readonly #waiting: ((error: Error) => void)[] = []
  /** Places to pass before the one where it dies. */
  #left: number
  #armed: boolean
  readonly #onlyBatches: boolean
  readonly #neverDies: boolean
  #freezes: boolean
  #frozen: Promise<void> | undefined
  #thaw = () => {}
  #tell!: (place: string) => void
  #buried = false

  /**
   * `where`: whether its start counts, or only what it does once events have come, or only the writing of batches;
   * `frozen` counts these and does not kill.
   */
  constructor(options: {
    readonly url: string
    readonly events: EventLog
    readonly id: string
    readonly places: number
    readonly where: 'start' | 'work' | 'batches' | 'frozen'
  }) {
    this.id = options.id
    this.#left = options.places
    this.#armed = options.where !== 'work'
    this.#onlyBatches = options.where === 'batches'
    this.#neverDies = options.where === 'frozen'
    this.#freezes = this.#neverDies
    this.died = new Promise(resolve => {
      this.#tell = resolve
    })
    this.#pool = this.#mortalPool(options.url)
    this.runner = new Runner({
      projections,
      events: this.#mortalLog(options.events),
      pool: this.#pool,
      decode: codec.decode,
      log: silentLog,
      id: options.id,
      leaseMs: patient(LEASE_MS),
      retryMs: [20, 40],
      batch: { min: 3, max: 12, targetMs: 20, gathered: 30 },
    })
  }

  /** Lets a frozen one go on, as if no time had passed. */
  thaw(): void {
    this.#frozen = undefined
    this.#thaw()
  }

  /** Clears away what is left in memory: all that the dead one waits for fails now. */
  async bury(): Promise<void> {
    this.#die('the end')
    this.thaw()
    this.#buried = true
    for (const fail of this.#waiting.splice(0)) fail(new Error('gone'))
    await this.runner.close()
    await this.#pool.end()
  }

  get #dead(): boolean {
    return this.#end.signal.aborted
  }

  /** Counts a place where it may die; false when it is dead. */
  #lives(place: string, isBatch = false): boolean {
    if (this.#armed && !this.#dead && !this.#neverDies && (isBatch || !this.#onlyBatches)) {
      this.#left -= 1
      if (this.#left <= 0) this.#die(place)
    }
    return !this.#dead
  }

  #die(place: string): void {
    if (this.#dead) return
    this.#end.abort()
    for (const socket of this.#sockets) socket.destroy()
    this.#tell(place)
  }

  /** Freezes where the next batch is to be sent, once, if it is one that freezes. */
  #freeze(): void {
    if (!this.#freezes) return
    this.#left -= 1
    if (this.#left > 0) return
    this.#freezes = false
    this.#frozen = new Promise(resolve => {
      this.#thaw = resolve
    })
    this.#tell('frozen before a batch')
  }

  #never<T>(): Promise<T> {
    return new Promise((_, reject) => {
      if (this.#buried) reject(new Error('gone'))
      else this.#waiting.push(reject)
    })
  }

  /** An await: it may die before the work is done, or after it was done and before that is known. */
  async #pass<T>(place: string, work: Work<T>): Promise<T> {
    await this.#frozen
    if (!this.#lives(`before ${place}`)) return this.#never()
    try {
      const result = await work()
      await this.#frozen
      return this.#lives(`after ${place}`) ? result : this.#never()
    } catch (error) {
      if (this.#dead) return this.#never()
      throw error
    }
  }

  #mortalPool(url: string): Pool {
    const pool = createPool({ url, name: 'mortal', log: silentLog, max: 6 })
    pool.on('connect', client => {
      const { stream } = (client as unknown as { connection: { stream: Socket } }).connection
      this.#sockets.add(stream)
      stream.on('close', () => this.#sockets.delete(stream))
      if (this.#dead) stream.destroy()
      const query = client.query.bind(client) as (...args: unknown[]) => unknown
      const mortalQuery = (...args: unknown[]): unknown => {
        if (typeof (args[0] as { submit?: unknown }).submit === 'function') {
          return this.#submit(query, args[0] as Submittable)
        }
        const callback = typeof args.at(-1) === 'function' ? (args.pop() as Callback) : undefined
        const done = this.#pass('a query', () => query(...args) as Promise<unknown>)
        if (!callback) return done
        done.then(
          result => callback(undefined, result),
          error => callback(error),
        )
        return undefined
      }
      client.query = mortalQuery as typeof client.query
    })
    return pool
  }

  /** The pipeline of a batch: it may die before it is sent, once it is sent, and when its commit was answered. */
  #submit(query: (...args: unknown[]) => unknown, pipeline: Submittable): void {
    const { submit, handleReadyForQuery, handleError } = pipeline
    if (!this.#lives('before a batch', true)) {
      this.#never().catch(handleError)
      return
    }
    this.#waiting.push(handleError)
    pipeline.submit = connection => {
      submit(connection)
      this.#lives('when a batch was sent', true)
    }
    pipeline.handleError = error => {
      if (!this.#dead || this.#buried) handleError(error)
    }
    pipeline.handleReadyForQuery = () => {
      if (this.#lives('between commit and acknowledgement', true)) handleReadyForQuery()
    }
    this.#freeze()
    if (this.#frozen) void this.#frozen.then(() => query(pipeline))
    else query(pipeline)
  }

  #mortalLog(events: EventLog): EventLog {
    const mortal = this
    return {
      head: signal => this.#pass('head', () => events.head(signal)),
      skips: names => this.#pass('skips', () => events.skips(names)),
      read: events.read,
      follow: async function* follow(options) {
        const signal = AbortSignal.any([options.signal, mortal.#end.signal])
        for await (const list of events.follow({ ...options, signal })) {
          mortal.#armed = true
          yield await mortal.#pass('events', async () => list)
        }
        if (mortal.#dead) await mortal.#never()
      },
    }
  }
}
