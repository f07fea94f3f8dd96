import { expect } from 'chai'
import { codec } from '../../infra/catalogue.ts'
import { silentLog } from '../../infra/log.ts'
import { balances } from '../../projections/balances.ts'
import { entries } from '../../projections/entries.ts'
import { rebuild } from '../../projections/runner/rebuild.ts'
import { tasks } from '../../projections/tasks.ts'
import { randomHistory } from './history.ts'
import { expectFolded, freshPool, MemoryLog, reached, startRunner } from './support.ts'

describe('projections: rebuild', () => {
  it('builds tables anew beside a projector at work, mends what was wrong and says where', async () => {
    const pool = await freshPool()
    const events = randomHistory({ seed: 41, count: 600 })
    const log = new MemoryLog(events.slice(0, 300))
    const runner = startRunner(pool, log)
    await reached(pool, events[299]!.position)
    await pool.query(`update balances_v1 set balance = balance + 1 where org = 'org-0'`)
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
    const before = (await pool.query('select * from tasks_v1 order by org, id')).rows
    let done = false
    let reads = 0
    const reading = (async () => {
      while (!done) {
        expect((await pool.query('select * from tasks_v1 order by org, id')).rows).to.deep.equal(before)
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
})
