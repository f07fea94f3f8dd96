import { expect } from 'chai'
import { codec, projections } from '../../infra/catalogue.ts'
import { type Pool, withTransaction } from '../../infra/postgres.ts'
import { type CheckedTable, checkTables } from '../../projections/check.ts'
import type { EventLog } from '../../projections/ports.ts'
import { randomHistory } from './history.ts'
import { freshPool, MemoryLog, reached, startRunner } from './support.ts'

const check = (pool: Pool, events: EventLog, more: { org?: string; eventsMax?: number } = {}) =>
  withTransaction(pool, client => checkTables({ client, events, decode: codec.decode, projections, ...more }), {
    isolation: 'repeatable read',
    readOnly: true,
  })

const differing = (checked: readonly CheckedTable[]) => checked.flatMap(({ differences }) => differences)

describe('projections: check', () => {
  it('finds every table equal while the projector is at work', async () => {
    const pool = await freshPool()
    const events = randomHistory({ seed: 51, count: 300 })
    const log = new MemoryLog(events.slice(0, 150))
    const runner = startRunner(pool, log, { batch: { min: 10, max: 10, targetMs: 10 } })
    await reached(pool, events[149]!.position)
    for (const event of events.slice(150)) log.append(event)
    for (const eventsMax of [1_000_000, 1]) {
      const checked = await check(pool, log, { eventsMax })
      expect(differing(checked)).to.deep.equal([])
      expect(checked.map(({ table }) => table)).to.include.members(['balances_v1', 'audit_log_v1'])
    }
    await runner.close()
  })

  it('shows the first row of each org that differs: changed, missing, or too many', async () => {
    const pool = await freshPool()
    const events = randomHistory({ seed: 52, count: 300 })
    const log = new MemoryLog(events)
    const runner = startRunner(pool, log)
    await reached(pool, events.at(-1)!.position)
    await runner.close()
    await pool.query(`update balances_v1 set balance = balance + 1 where org = 'org-0' and account = 'main'`)
    await pool.query(`delete from tasks_v1 where org = 'org-1'`)
    await pool.query(`update items_v1 set id = id || '-copy' where org = 'org-2'`)
    const differences = differing(await check(pool, log))
    expect(differences.map(({ table, org }) => `${table} ${org}`)).to.have.members([
      'balances_v1 org-0',
      'tasks_v1 org-1',
      'items_v1 org-2',
    ])
    const [balance, task] = ['balances_v1', 'tasks_v1'].map(name => differences.find(({ table }) => table === name)!)
    expect(balance!.stored!.balance).to.equal((balance!.folded!.balance as bigint) + 1n)
    expect(task!.stored).to.equal(undefined)
    expect(differing(await check(pool, log, { org: 'org-0' })).map(({ table }) => table)).to.deep.equal(['balances_v1'])
  })
})
