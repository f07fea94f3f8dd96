import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { domainStreamPrefixes } from '../../../infra/catalogue.ts'
import { startEventStore } from '../../../infra/embedded/event-store/index.ts'
import { eventLog } from '../../../infra/event-store/reader.ts'
import { randomHistory, randomOf } from '../../projections/history.ts'
import { expectFolded, freshPool, MemoryLog, reached, startRunner, until } from '../../projections/support.ts'
import { append, startProjector, storedEvents } from './processes.ts'

const LONG = process.env.KOGI_LONG === '1'
const SEED = Number(process.env.KOGI_SEED ?? Date.now() % 1_000_000)

describe(`projections: faults (KOGI_SEED=${SEED})`, function faults() {
  this.timeout(LONG ? 1_800_000 : 60_000)

  it('loses and doubles nothing when projector processes are killed at any moment', async () => {
    const random = randomOf(SEED)
    const store = await startEventStore({ memory: true })
    const pool = await freshPool()
    await append(store.url, randomHistory({ seed: SEED, count: LONG ? 3_000 : 300 }))
    const events = await storedEvents(store.url)
    for (let kill = 0; kill < (LONG ? 50 : 1); kill += 1) {
      const victim = startProjector({ store: store.url, database: pool.options.connectionString!, batch: 10 })
      await victim.working
      await sleep(random(40))
      await victim.kill()
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
    const runner = startRunner(pool, log, { batch: { min: 5, max: 10, targetMs: 20, gathered: 25 } })
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
    await append(first.url, half.slice(0, 100))
    const log = eventLog({ url: first.url, prefixes: domainStreamPrefixes })
    const runner = startRunner(pool, log)
    await reached(pool, await log.head())
    await first.close()
    await until(() => runner.trouble !== undefined, 'the trouble to show')
    const second = await startEventStore({ dataDir: folder, port: first.port })
    await append(second.url, half.slice(100))
    const events = await storedEvents(second.url)
    await reached(pool, events.at(-1)!.position)
    await until(() => runner.trouble === undefined, 'the trouble to end')
    await runner.close()
    await log.close()
    await second.close()
    await rm(folder, { recursive: true, force: true })
    await expectFolded(pool, events)
  })
})
