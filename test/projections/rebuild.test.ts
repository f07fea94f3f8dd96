import { expect } from 'chai'
import { codec } from '../../infra/catalogue.ts'
import { silentLog } from '../../infra/log.ts'
import { tasks } from '../../projections/center/tasks.ts'
import { rebuild } from '../../projections/rebuild/rebuild.ts'
import { balances } from '../../projections/wallet/balances.ts'
import { entries } from '../../projections/wallet/entries.ts'
import { patient } from '../support/pace.ts'
import { faultyTasks, historyWithPoison } from './faulty.ts'
import { randomHistory } from './history.ts'
import { expectFolded, freshPool, MemoryLog, reached, separateAll, startRunner, until } from './support.ts'

describe('projections: rebuild', () => {
  it('builds tables anew beside a projector at work, mends what was wrong and says where', async () => {
    const pool = await freshPool()
    const events = randomHistory({ seed: 41, count: 600 })
    const log = new MemoryLog(events.slice(0, 300))
    const runner = startRunner(pool, log)
    await reached(pool, events[299]!.position)
    await pool.query(`update balances_v6 set balance = balance + 1 where org = 'org-0'`)
    const options = { pool, events: log, decode: codec.decode, log: silentLog, id: 'rebuild-test' }
    const appending = (async () => {
      for (const event of events.slice(300)) {
        log.append(event)
        await new Promise(resolve => setTimeout(resolve, 2))
      }
    })()
    const rebuilt = await rebuild({ ...options, projection: balances })
    expect(rebuilt.changedOrgs).to.deep.equal(['org-0'])
    for (const projection of [entries, tasks]) {
      expect((await rebuild({ ...options, projection })).changedOrgs).to.deep.equal([])
    }
    await appending
    await reached(pool, events.at(-1)!.position)
    await runner.close()
    await expectFolded(pool, events)
    const { rows } = await pool.query(`select relname from pg_class where relname ~ '__(rebuild|old)'`)
    expect(rows).to.deep.equal([])
  })

  it('answers reads throughout', async () => {
    const pool = await freshPool()
    const events = randomHistory({ seed: 42, count: 300 })
    const log = new MemoryLog(events)
    const runner = startRunner(pool, log)
    await reached(pool, events.at(-1)!.position)
    const before = (await pool.query('select * from tasks_v4 order by org, id')).rows
    let done = false
    let reads = 0
    const reading = (async () => {
      while (!done) {
        expect((await pool.query('select * from tasks_v4 order by org, id')).rows).to.deep.equal(before)
        reads += 1
      }
    })()
    const options = { pool, events: log, decode: codec.decode, log: silentLog, id: 'rebuild-test' }
    await rebuild({ ...options, projection: tasks })
    done = true
    await reading
    await runner.close()
    expect(reads).to.be.greaterThan(10)
  })

  it('tells orgs whose histories were wrong, and refuses rows of another log', async () => {
    const pool = await freshPool()
    const events = randomHistory({ seed: 44, count: 200 })
    const log = new MemoryLog(events)
    const runner = startRunner(pool, log)
    await reached(pool, events.at(-1)!.position)
    await runner.close()
    await pool.query(`update balances_v6_history set balance = balance + 7 where org = 'org-1'`)
    const options = { pool, events: log, decode: codec.decode, log: silentLog, id: 'rebuild-test' }
    expect((await rebuild({ ...options, projection: balances })).changedOrgs).to.deep.equal(['org-1'])
    expect((await rebuild({ ...options, projection: balances })).changedOrgs).to.deep.equal([])
    await separateAll(pool)
    await pool.query(`update projection_checkpoints set position = 5000000 where projection = 'tasks' and bucket = 2`)
    const refused = await rebuild({ ...options, projection: tasks }).catch((error: unknown) => error)
    expect(refused).to.include({ code: 'log_went_back' })
  })

  it('lets reads and the projector go on while a long transaction keeps it from its swap', async () => {
    const pool = await freshPool()
    const events = randomHistory({ seed: 45, count: 400 })
    const log = new MemoryLog(events.slice(0, 200))
    const runner = startRunner(pool, log)
    await reached(pool, events[199]!.position)
    const reader = await pool.connect()
    await reader.query('begin isolation level repeatable read read only; select count(*) from balances_v6')
    const warnings: string[] = []
    const heard = { ...silentLog, warn: (_: object, message: string) => void warnings.push(message) }
    const options = { pool, events: log, decode: codec.decode, log: heard as never, id: 'rebuild-test' }
    let done = false
    const rebuilding = rebuild({ ...options, projection: balances }).finally(() => {
      done = true
    })
    await until(() => warnings.length > 0, 'the rebuild to wait')
    let slowest = 0
    for (const event of events.slice(200)) {
      log.append(event)
      const asked = performance.now()
      await pool.query('select count(*) from balances_v6')
      slowest = Math.max(slowest, performance.now() - asked)
      if (slowest > patient(5_000)) break
    }
    await reached(pool, events.at(-1)!.position)
    expect(slowest, 'a read').to.be.below(patient(2_000))
    expect(done, 'the rebuild waits').to.equal(false)
    expect(warnings).to.deep.equal(['the new tables are ready: waiting for transactions that read the old ones'])
    await reader.query('commit')
    reader.release()
    expect((await rebuilding).changedOrgs).to.deep.equal([])
    await runner.close()
    await expectFolded(pool, events)
  })

  it('gives up, and leaves all as it was, where an event cannot be taken, however far it has come', async () => {
    const pool = await freshPool()
    const { events, poison } = historyWithPoison()
    const log = new MemoryLog(events)
    const runner = startRunner(pool, log)
    await reached(pool, events.at(-1)!.position)
    const options = { pool, events: log, decode: codec.decode, log: silentLog, id: 'rebuild-test' }
    for (let n = 0; n < 3; n += 1) {
      const refused = await rebuild({ ...options, projection: faultyTasks('poison') }).catch((error: unknown) => error)
      expect(refused).to.include({ code: 'event_refused' })
      expect((refused as Error).message).to.include(`TaskCreated at position ${poison.position} cannot be taken`)
    }
    await runner.close()
    await expectFolded(pool, events)
  })
})
