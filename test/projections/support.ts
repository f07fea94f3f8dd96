/** What the tests of the runner share: a log in memory, a database of their own, and the comparison with the fold. */
import { setTimeout as sleep } from 'node:timers/promises'
import { expect } from 'chai'
import type { StoredEvent } from '../../domain/kernel/event.ts'
import { codec, projections } from '../../infra/catalogue.ts'
import { silentLog } from '../../infra/log.ts'
import { createPool, type Pool } from '../../infra/postgres.ts'
import type { EventLog } from '../../projections/ports.ts'
import { BUCKETS } from '../../projections/rows/bucket.ts'
import { fold, foldedDigests, type Skips } from '../../projections/rows/fold.ts'
import type { AnyProjection } from '../../projections/rows/projection.ts'
import { storedDigests } from '../../projections/rows/stored.ts'
import type { RunnerOptions } from '../../projections/runner/options.ts'
import { Runner } from '../../projections/runner/runner.ts'
import { patient } from '../support/pace.ts'
import { freshDatabase } from '../support/postgres.ts'
import { readModels } from '../support/templates.ts'

/** A log that is a list: the reference that the reader of a real one is compared with. */
export class MemoryLog implements EventLog {
  readonly events: StoredEvent[]
  /** Hands every list out twice, as a reader may that lost its place. */
  redelivers = false
  skipped: Map<string, Set<bigint>> = new Map()
  #waiting = new Set<() => void>()

  constructor(events: readonly StoredEvent[] = []) {
    this.events = [...events]
  }

  append(...events: StoredEvent[]): void {
    this.events.push(...events)
    for (const wake of this.#waiting) wake()
  }

  head = async (): Promise<bigint> => this.events.at(-1)?.position ?? 0n
  skips = async (): Promise<Skips> => this.skipped

  async *follow({ after, max, signal, onStatus }: Parameters<EventLog['follow']>[0]) {
    onStatus?.({ state: 'reading' })
    let live = false
    let next = this.events.findIndex(({ position }) => position > after)
    if (next === -1) next = this.events.length
    while (!signal.aborted) {
      const events = this.events.slice(next, next + max())
      next += events.length
      if (events.length > 0) yield events
      if (events.length > 0 && this.redelivers) yield events
      if (next < this.events.length || signal.aborted) continue
      if (!live) onStatus?.({ state: 'live' })
      live = true
      await this.#more(signal)
    }
  }

  async *read({ after, to, max }: Parameters<EventLog['read']>[0]) {
    const events = this.events.filter(({ position }) => position > after && position <= to)
    for (let at = 0; at < events.length; at += max) yield events.slice(at, at + max)
  }

  #more(signal: AbortSignal): Promise<void> {
    return new Promise(resolve => {
      const wake = () => {
        this.#waiting.delete(wake)
        signal.removeEventListener('abort', wake)
        resolve()
      }
      this.#waiting.add(wake)
      signal.addEventListener('abort', wake)
    })
  }
}

const open: Pool[] = []

/** A pool on a database of the test's own, with all tables. */
export async function freshPool(): Promise<Pool> {
  const pool = createPool({ url: await freshDatabase(readModels), name: 'read', log: silentLog, max: 20 })
  open.push(pool)
  return pool
}

const runners = new Set<Runner>()

// A test that failed leaves its runners running.
afterEach(async () => {
  await Promise.all([...runners].map(runner => runner.close()))
  runners.clear()
})

after(async () => {
  await Promise.all(open.map(pool => pool.end()))
})

let started = 0

/** A runner with short waits. */
export function startRunner(pool: Pool, events: EventLog, options: Partial<RunnerOptions> = {}): Runner {
  started += 1
  const runner = new Runner({
    projections,
    events,
    pool,
    decode: codec.decode,
    log: silentLog,
    id: `test-${process.pid}-${started}`,
    leaseMs: patient(600),
    retryMs: [20, 40],
    ...options,
  })
  runners.add(runner)
  return runner
}

/** Waits until every checkpoint of some projections has reached a position. */
export async function reached(
  pool: Pool,
  position: bigint,
  some: readonly AnyProjection[] = projections,
): Promise<void> {
  const values = [some.map(({ name }) => name), some.map(({ version }) => version), position, some.length * BUCKETS]
  await until(async () => {
    const { rows } = await pool.query({
      name: 'reached',
      text: `select count(*) = $4 as reached from checkpoints where position >= $3
        and (projection, version) in (select * from unnest($1::text[], $2::int[]))`,
      values,
    })
    return rows[0].reached
  }, `all checkpoints at ${position}`)
}

/** Waits for something to become true, up to 20 seconds on a quiet machine. */
export async function until(condition: () => Promise<boolean> | boolean, what: string): Promise<void> {
  const deadline = performance.now() + patient(20_000)
  while (!(await condition())) {
    if (performance.now() > deadline) throw new Error(`waited in vain for: ${what}`)
    await sleep(20)
  }
}

/** Gives every partition a row of its own, where it stands, so that a test can set its checkpoint there. */
export async function separateAll(pool: Pool): Promise<void> {
  await pool.query(`update projection_checkpoints c set shared = null,
    position = coalesce((select s.position from shared_checkpoints s where s.id = c.shared), c.position)`)
  await pool.query('delete from shared_checkpoints')
}

/** Decoded events of a list. */
export const decoded = (events: readonly StoredEvent[]) => events.map(codec.decode)

/** Expects the stored rows of every org to be those that the pure fold makes of the events. */
export async function expectFolded(
  pool: Pool,
  events: readonly StoredEvent[],
  some: readonly AnyProjection[] = projections,
  skips?: Skips,
): Promise<void> {
  const rows = await fold(some, decoded(events), skips)
  for (const projection of some) {
    const stored = Object.fromEntries(await storedDigests(pool, projection))
    expect(stored, projection.name).to.deep.equal(Object.fromEntries(foldedDigests(rows, projection)))
  }
}
