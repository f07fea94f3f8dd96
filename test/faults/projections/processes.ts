/** Projectors that are processes of their own, to be killed and frozen, and the log that they read. */
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { EventStoreDBClient, jsonEvent } from '@eventstore/db-client'
import type { StoredEvent } from '../../../domain/kernel/event.ts'
import { domainStreamPrefixes } from '../../../infra/catalogue.ts'
import { eventLog } from '../../../infra/event-store/reader.ts'
import { bucketOf } from '../../../projections/rows/bucket.ts'
import { patient } from '../../support/pace.ts'

const WRITERS = 8
/** Longer than a busy machine lets a process wait for its turn: who misses its lease has its work taken away. */
const LEASE_MS = 2_000
const VICTIM = fileURLToPath(new URL('victim.ts', import.meta.url))

export type Projector = {
  readonly child: ChildProcess
  /** Resolves with its first batch, or when it has ended. */
  readonly working: Promise<unknown>
  readonly kill: () => Promise<void>
}

const running = new Set<Projector>()

// A test that failed leaves its projectors running, or frozen.
afterEach(() => Promise.all([...running].map(projector => projector.kill())))

/** Starts a projector on the databases that these connection strings name. */
export function startProjector({
  store,
  database,
  leaseMs = patient(LEASE_MS),
  batch = 20,
}: {
  store: string
  database: string
  leaseMs?: number
  batch?: number
}): Projector {
  const args = [...process.execArgv, VICTIM, store, database, `${leaseMs}`, `${batch}`]
  const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit', 'ipc'] })
  const exited = once(child, 'exit')
  const working = Promise.race([once(child.stdout!, 'data'), exited, sleep(10_000, undefined, { ref: false })])
  child.stdout!.resume()
  const projector = {
    child,
    working,
    kill: async () => {
      running.delete(projector)
      child.kill('SIGKILL')
      await exited
    },
  }
  running.add(projector)
  return projector
}

/** Appends made-up events to a real store, streams beside each other, `perSecond` events where it says so. */
export async function append(url: string, events: readonly StoredEvent[], perSecond?: number): Promise<void> {
  const client = EventStoreDBClient.connectionString(url)
  const started = performance.now()
  const writers = Array.from({ length: WRITERS }, async (_, writer) => {
    for (const [at, { stream, type, data, metadata }] of events.entries()) {
      if (bucketOf(stream) % WRITERS !== writer) continue
      const early = perSecond === undefined ? 0 : started + (at * 1000) / perSecond - performance.now()
      if (early > 2) await sleep(early)
      const event = jsonEvent({ type, data: data as never, metadata: metadata as never })
      await client.appendToStream(stream, event)
    }
  })
  await Promise.all(writers)
  await client.dispose()
}

/** All domain events of a real store, as it has them. */
export async function storedEvents(url: string): Promise<StoredEvent[]> {
  const log = eventLog({ url, prefixes: domainStreamPrefixes })
  const found: StoredEvent[] = []
  for await (const list of log.read({ after: 0n, to: await log.head(), max: 100 })) found.push(...list)
  await log.close()
  return found
}
