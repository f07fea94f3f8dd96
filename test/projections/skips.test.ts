import { expect } from 'chai'
import { codec, projections } from '../../infra/catalogue.ts'
import { silentLog } from '../../infra/log.ts'
import { withTransaction } from '../../infra/postgres.ts'
import { checkTables } from '../../projections/care/check.ts'
import { resumeStalled } from '../../projections/care/operate.ts'
import { tasks } from '../../projections/center/tasks.ts'
import { readCheckpoints } from '../../projections/ownership/checkpoints.ts'
import { rebuild } from '../../projections/rebuild/rebuild.ts'
import { faultyTasks, historyWithPoison } from './faulty.ts'
import { expectFolded, freshPool, MemoryLog, reached, startRunner, until } from './support.ts'

const others = projections.filter(projection => projection !== tasks)

describe('projections: a skipped event', () => {
  it('stays skipped for check and rebuild, also by code that could take it now', async () => {
    const pool = await freshPool()
    const { events, poison } = historyWithPoison()
    const log = new MemoryLog(events)
    const runner = startRunner(pool, log, { projections: [...others, faultyTasks('poison')] })
    await until(async () => (await readCheckpoints(pool, [tasks])).some(({ state }) => state === 'stalled'), 'a stall')
    const skipped = new Map([['tasks', new Set([poison.position])]])
    log.skipped = skipped
    await resumeStalled(pool, 'tasks')
    await reached(pool, events.at(-1)!.position)
    await runner.close()

    const differing = async () => {
      const options = { events: log, decode: codec.decode, projections }
      const checked = await withTransaction(pool, client => checkTables({ client, ...options }), {
        isolation: 'repeatable read',
        readOnly: true,
      })
      return checked.flatMap(({ differences }) => differences.map(({ table, key }) => [table, key?.id]))
    }
    expect(await differing()).to.deep.equal([])
    log.skipped = new Map()
    expect(await differing(), 'without the skip').to.deep.equal([
      ['tasks_v4', 'poison'],
      ['tasks_v4_history', 'poison'],
    ])
    log.skipped = skipped

    const options = { pool, events: log, decode: codec.decode, log: silentLog, id: 'rebuild-test' }
    expect((await rebuild({ ...options, projection: tasks })).changedOrgs).to.deep.equal([])
    await expectFolded(pool, events, projections, skipped)
    expect(await differing()).to.deep.equal([])
  })
})
