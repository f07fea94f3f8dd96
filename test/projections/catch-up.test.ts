import { expect } from 'chai'
import { domainStreamPrefixes, projections } from '../../infra/catalogue.ts'
import { loadConfig } from '../../infra/config.ts'
import { type EventStore, startEventStore } from '../../infra/embedded/event-store/index.ts'
import { eventLog } from '../../infra/event-store/reader.ts'
import { silentLog } from '../../infra/log.ts'
import type { Pool } from '../../infra/postgres.ts'
import { catchUp } from '../../infra/processes/catch-up.ts'
import { readCheckpoints } from '../../projections/ownership/checkpoints.ts'
import { greatest, least } from '../../projections/rows/positions.ts'
import { append, storedEvents } from '../faults/projections/processes.ts'
import { randomHistory } from './history.ts'
import { expectFolded, freshPool, reached, startRunner, until } from './support.ts'

const COUNT = 400

/** Threads on a log that they call far away however short it is; `batches`: the events of each batch. */
function begin(store: EventStore, pool: Pool) {
  const config = loadConfig({})
  const urls = { eventStoreUrl: store.url, databaseUrl: pool.options.connectionString! }
  const batches: number[] = []
  const onBatch = ({ events }: { readonly events: number }) => batches.push(events)
  return { batches, catching: catchUp({ config, urls, log: silentLog, onBatch, far: 1n }) }
}

const leased = async (pool: Pool): Promise<number> =>
  (await pool.query('select count(owner)::int as n from projection_leases')).rows[0].n

describe('projections: threads that catch up', () => {
  let store: EventStore
  before(async () => {
    store = await startEventStore({ memory: true })
    await append(store.url, randomHistory({ seed: 17, count: COUNT, orgs: 20 }))
  })
  after(() => store.close())

  it('share the work, make the rows of one, and leave everything to the runner behind them', async () => {
    const pool = await freshPool()
    const { catching, batches } = begin(store, pool)
    await catching.ended
    catching.check()
    const events = await storedEvents(store.url)
    const checkpoints = await readCheckpoints(pool, projections)
    expect(least(checkpoints.map(({ position }) => position))).to.equal(events.at(-1)!.position)
    expect(batches.reduce((sum, n) => sum + n, 0)).to.be.at.least(events.length)
    expect(await leased(pool)).to.equal(0)
    await expectFolded(pool, events)
    const again = begin(store, pool)
    await again.catching.ended
    expect(again.batches).to.deep.equal([])
  })

  it('can be stopped at any time: a runner takes over where they were', async () => {
    const pool = await freshPool()
    const { catching } = begin(store, pool)
    await until(async () => greatest((await readCheckpoints(pool)).map(({ position }) => position)) > 0n, 'a batch')
    await catching.stop()
    expect(await leased(pool)).to.equal(0)
    const log = eventLog({ url: store.url, prefixes: domainStreamPrefixes })
    const runner = startRunner(pool, log, { after: catching.ended })
    const events = await storedEvents(store.url)
    await reached(pool, events.at(-1)!.position)
    await expectFolded(pool, events)
    await runner.close()
    await log.close()
  })

  it('leave the work to the runner where an engine does not answer', async () => {
    const config = loadConfig({})
    const urls = { eventStoreUrl: store.url, databaseUrl: 'postgres://kogi@127.0.0.1:1/none' }
    await catchUp({ config, urls, log: silentLog, far: 1n }).ended
  })
})
