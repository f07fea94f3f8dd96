import { setTimeout as sleep } from 'node:timers/promises'
import { expect } from 'chai'
import { projections } from '../../infra/catalogue.ts'
import { silentLog } from '../../infra/log.ts'
import { createPool } from '../../infra/postgres.ts'
import { readCheckpoints } from '../../projections/ownership/checkpoints.ts'
import { sessionNameOf } from '../../projections/ownership/leases.ts'
import { patient } from '../support/pace.ts'
import { randomHistory } from './history.ts'
import { expectFolded, freshPool, MemoryLog, reached, separateAll, startRunner, until } from './support.ts'

const LONG = process.env.KOGI_LONG === '1'

describe('projections: several projectors', () => {
  for (const count of LONG ? [2, 5] : [2]) {
    it(`${count} share the work and make the same rows`, async () => {
      const pool = await freshPool()
      const events = randomHistory({ seed: 21, count: 400, orgs: 20 })
      const log = new MemoryLog(events.slice(0, 100))
      const runners = Array.from({ length: count }, () => startRunner(pool, log, { leaseMs: patient(300) }))
      await until(() => runners.every(({ partitions }) => partitions.length > 0), 'a share for each')
      await until(() => {
        const owned = runners.reduce((sum, { partitions }) => sum + partitions.length, 0)
        return owned === projections.length * 16
      }, 'every partition to be owned once')
      for (const event of events.slice(100)) log.append(event)
      await reached(pool, events.at(-1)!.position)
      await Promise.all(runners.map(runner => runner.close()))
      await expectFolded(pool, events)
    })
  }

  it('hands everything over when one leaves, and the other writes under new epochs', async () => {
    const pool = await freshPool()
    const events = randomHistory({ seed: 22, count: 300 })
    const log = new MemoryLog(events.slice(0, 150))
    const first = startRunner(pool, log)
    await reached(pool, events[149]!.position)
    const second = startRunner(pool, log)
    await first.close()
    for (const event of events.slice(150)) log.append(event)
    await reached(pool, events.at(-1)!.position)
    await second.close()
    expect((await readCheckpoints(pool)).every(({ epoch }) => epoch >= 2n)).to.equal(true)
    await expectFolded(pool, events)
  })

  it('writes nothing once its partitions were taken: a frozen projector that wakes up', async () => {
    const pool = await freshPool()
    const events = randomHistory({ seed: 23, count: 200 })
    const log = new MemoryLog(events.slice(0, 100))
    const frozen = startRunner(pool, log, { leaseMs: 60_000 })
    await reached(pool, events[99]!.position)
    const living = await pool.connect()
    await living.query(
      `insert into projectors (id, runs, backend, expires_at)
       select 'another', runs, pg_backend_pid(), now() + interval '1 hour' from projectors`,
    )
    // As a takeover does it: the owner changes and the epoch grows, and the old owner does not know.
    await pool.query(`update projection_leases set owner = 'another'`)
    await pool.query('update projection_checkpoints set epoch = epoch + 1')
    await pool.query(`update shared_checkpoints set epoch = epoch + 1, owner = 'another'`)
    const before = await readCheckpoints(pool)
    for (const event of events.slice(100)) log.append(event)
    await until(() => frozen.workers.length === 0, 'the frozen one to stop')
    await sleep(200)
    expect(await readCheckpoints(pool)).to.deep.equal(before)
    await frozen.close()
    living.release()
    await expectFolded(pool, events.slice(0, 100))
  })

  it('lets a projection that lags read alone, and brings it back', async () => {
    const pool = await freshPool()
    const events = randomHistory({ seed: 24, count: 400 })
    const far = events.map((event, at) => ({ ...event, position: event.position + (at < 200 ? 0n : 10_000_000n) }))
    const log = new MemoryLog(far)
    const first = startRunner(pool, log)
    await reached(pool, far.at(-1)!.position)
    await first.close()
    await separateAll(pool)
    await pool.query(`update projection_checkpoints set position = 0 where projection = 'tasks'`)
    await pool.query('truncate tasks_v4, tasks_v4_history')
    const second = startRunner(pool, log)
    await reached(pool, far.at(-1)!.position)
    await until(() => second.workers.length === 1 && second.workers[0]!.live, 'one reader')
    await second.close()
    await expectFolded(pool, far)
  })

  it('takes over from one that stands still in the middle of a batch, checkpoints locked', async () => {
    const pool = await freshPool()
    const events = randomHistory({ seed: 24, count: 200 })
    const log = new MemoryLog(events.slice(0, 100))
    const first = startRunner(pool, log)
    await reached(pool, events[99]!.position)
    await first.close()
    const frozen = createPool({
      url: pool.options.connectionString!,
      name: 'read',
      applicationName: sessionNameOf('frozen'),
      log: silentLog,
    })
    const session = await frozen.connect()
    await session.query(
      `insert into projectors (id, runs, backend, expires_at)
       select 'frozen', array_agg(distinct projection || '_v' || version), pg_backend_pid(), now() + interval '300 ms'
       from checkpoints`,
    )
    await session.query(`update projection_leases set owner = 'frozen'`)
    await session.query('begin; update projection_checkpoints set position = position + 1')
    await session.query('update shared_checkpoints set position = position + 1')
    const second = startRunner(pool, log, { leaseMs: patient(300) })
    for (const event of events.slice(100)) log.append(event)
    await reached(pool, events.at(-1)!.position)
    const refused = await session.query('commit').catch((error: unknown) => error)
    expect(refused).to.be.instanceOf(Error)
    session.release(true)
    await Promise.all([frozen.end(), second.close()])
    await expectFolded(pool, events)
  })
})
