import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { EventStoreDBClient, jsonEvent } from '@eventstore/db-client'
import type { StoredEvent } from '../../../domain/kernel/event.ts'
import { domainStreamPrefixes } from '../../../infra/catalogue.ts'
import { startEventStore } from '../../../infra/embedded/event-store/index.ts'
import { eventLog } from '../../../infra/event-store/reader.ts'
import { randomHistory, randomOf } from '../../projections/history.ts'
import { expectFolded, freshPool, MemoryLog, reached, startRunner, until } from '../../projections/support.ts'

const LONG = process.env.KOGI_LONG === '1'
const SEED = Number(process.env.KOGI_SEED ?? Date.now() % 1_000_000)
const VICTIM = fileURLToPath(new URL('victim.ts', import.meta.url))

/** Appends a made-up history to a real store and returns it as that has it. */
async function stored(url: string, events: readonly StoredEvent[]): Promise<StoredEvent[]> {
  const client = EventStoreDBClient.connectionString(url)
  for (const { stream, type, data, metadata, eventId } of events) {
    const event = jsonEvent({ id: eventId, type, data: data as never, metadata: metadata as never })
    await client.appendToStream(stream, event)
  }
  await client.dispose()
  const log = eventLog({ url, prefixes: domainStreamPrefixes })
  const found: StoredEvent[] = []
  for await (const list of log.read({ after: 0n, to: await log.head(), max: 100 })) found.push(...list)
  await log.close()
  return found
}

describe(`projections: faults (KOGI_SEED=${SEED})`, function faults() {
  this.timeout(LONG ? 1_800_000 : 60_000)

  it('loses and doubles nothing when projectors are killed at any moment', async () => {
    const random = randomOf(SEED)
    const store = await startEventStore({ memory: true })
    const pool = await freshPool()
    const events = await stored(store.url, randomHistory({ seed: SEED, count: LONG ? 3_000 : 300 }))
    for (let kill = 0; kill < (LONG ? 200 : 2); kill += 1) {
      const args = [...process.execArgv, '--import', 'tsx', VICTIM, store.url, pool.options.connectionString!, '200']
      const victim = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit', 'ipc'] })
      await Promise.race([once(victim.stdout!, 'data'), sleep(5_000)])
      await sleep(random(40))
      const exited = once(victim, 'exit')
      victim.kill('SIGKILL')
      await exited
    }
    const log = eventLog({ url: store.url, prefixes: domainStreamPrefixes })
    const runner = startRunner(pool, log)
    await reached(pool, events.at(-1)!.position)
    await runner.close()
    await log.close()
    await store.close()
    await expectFolded(pool, events)
  })

  it('goes on by itself when its connections to PostgreSQL break, before and after commits', async () => {
    const random = randomOf(SEED)
    const pool = await freshPool()
    const events = randomHistory({ seed: SEED, count: LONG ? 3_000 : 400 })
    const log = new MemoryLog()
    const runner = startRunner(pool, log, { batch: { min: 5, max: 10, targetMs: 20 } })
    const killer = await pool.connect()
    for (const [at, event] of events.entries()) {
      log.append(event)
      if (at % 10 === 0) await sleep(random(20))
      if (at % 40 !== 0) continue
      await killer.query(
        `select pg_terminate_backend(pid) from pg_stat_activity
         where datname = current_database() and pid <> pg_backend_pid()`,
      )
    }
    killer.release()
    await reached(pool, events.at(-1)!.position)
    await runner.close()
    await expectFolded(pool, events)
  })

  it('goes on by itself when the event store was away', async () => {
    const folder = await mkdtemp(path.join(tmpdir(), 'kogi-test-store-'))
    const first = await startEventStore({ dataDir: folder })
    const pool = await freshPool()
    const half = randomHistory({ seed: SEED, count: 200 })
    await stored(first.url, half.slice(0, 100))
    const log = eventLog({ url: first.url, prefixes: domainStreamPrefixes })
    const runner = startRunner(pool, log)
    await reached(pool, await log.head())
    await first.close()
    await until(() => runner.trouble !== undefined, 'the trouble to show')
    const second = await startEventStore({ dataDir: folder, port: first.port })
    const events = await stored(second.url, half.slice(100))
    await reached(pool, events.at(-1)!.position)
    await until(() => runner.trouble === undefined, 'the trouble to end')
    await runner.close()
    await log.close()
    await second.close()
    await rm(folder, { recursive: true, force: true })
    await expectFolded(pool, events)
  })
})
