/** What others may be doing while a projection is rebuilt. */
import { expect } from 'chai'
import { codec } from '../../infra/catalogue.ts'
import { silentLog } from '../../infra/log.ts'
import { tasks } from '../../projections/center/tasks.ts'
import { rebuild } from '../../projections/rebuild/rebuild.ts'
import { randomHistory } from './history.ts'
import { expectFolded, freshPool, MemoryLog, reached, startRunner } from './support.ts'

describe('projections: beside a rebuild', () => {
  it('another one of the same projection is refused, and the first is not disturbed', async () => {
    const pool = await freshPool()
    const events = randomHistory({ seed: 43, count: 400 })
    const log = new MemoryLog(events)
    const runner = startRunner(pool, log)
    await reached(pool, events.at(-1)!.position)
    const options = { pool, events: log, decode: codec.decode, log: silentLog, projection: tasks }
    const both = await Promise.allSettled([rebuild({ ...options, id: 'one' }), rebuild({ ...options, id: 'two' })])
    const refused = both.flatMap(result => (result.status === 'rejected' ? [(result.reason as Error).message] : []))
    expect(refused).to.deep.equal(['tasks is being rebuilt already: wait for the end of that.'])
    expect((await rebuild({ ...options, id: 'three' })).changedOrgs).to.deep.equal([])
    await runner.close()
    await expectFolded(pool, events)
  })
})
