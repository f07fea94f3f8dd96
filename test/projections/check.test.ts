import { expect } from 'chai'
import { canonicalJson } from '../../domain/kernel/json.ts'
import { codec, projections } from '../../infra/catalogue.ts'
import { silentLog } from '../../infra/log.ts'
import { type Pool, withTransaction } from '../../infra/postgres.ts'
import { auditLog } from '../../projections/audit/audit-log.ts'
import { type CheckedTable, type CheckOptions, checkTables } from '../../projections/care/check.ts'
import { tasks } from '../../projections/center/tasks.ts'
import type { EventLog } from '../../projections/ports.ts'
import { rebuild } from '../../projections/rebuild/rebuild.ts'
import { tableOf } from '../../projections/rows/tables.ts'
import { entries } from '../../projections/wallet/entries.ts'
import { randomHistory } from './history.ts'
import { freshPool, MemoryLog, reached, startRunner } from './support.ts'

const check = (pool: Pool, events: EventLog, more: Partial<CheckOptions> = {}) =>
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
    for (const rowsMax of [1_000_000, 1]) {
      const checked = await check(pool, log, { rowsMax })
      expect(differing(checked)).to.deep.equal([])
      expect(checked.map(({ table }) => table)).to.include.members(['balances_v6', tableOf(auditLog)])
    }
    await runner.close()
  })

  it('does not judge tables that a rebuild has swapped since it began', async () => {
    const pool = await freshPool()
    const events = randomHistory({ seed: 59, count: 120 })
    const log = new MemoryLog(events)
    const runner = startRunner(pool, log)
    await reached(pool, events.at(-1)!.position)
    const swapping: EventLog = {
      head: () => log.head(),
      follow: options => log.follow(options),
      read: options => log.read(options),
      async skips() {
        await rebuild({ projection: tasks, pool, events: log, decode: codec.decode, log: silentLog, id: 'swap' })
        return await log.skips()
      },
    }
    const failure = await check(pool, swapping).catch((error: Error) => error)
    expect(failure).to.include({ code: 'rebuilt_meanwhile' })
    expect(differing(await check(pool, log))).to.deep.equal([])
    await runner.close()
  })

  it('reads the log once, and tells the position of what it checked', async () => {
    const pool = await freshPool()
    const events = randomHistory({ seed: 53, count: 200 })
    const log = new MemoryLog(events)
    const runner = startRunner(pool, log)
    await reached(pool, events.at(-1)!.position)
    await runner.close()
    let read = 0
    const onProgress = (count: number) => {
      read += count
    }
    const checked = await check(pool, log, { onProgress })
    expect(read).to.equal(events.length)
    expect(new Set(checked.map(({ position }) => position))).to.deep.equal(new Set([events.at(-1)!.position]))
    await pool.query(`update ${tableOf(auditLog)} set actor = 'nobody' where org = 'org-1' and position > $1`, [
      events[100]!.position,
    ])
    const [difference] = differing(await check(pool, log))
    const first = events.find(({ position, metadata }) => position > events[100]!.position && metadata.org === 'org-1')!
    expect(difference).to.deep.include({
      table: tableOf(auditLog),
      org: 'org-1',
      key: { org: 'org-1', position: String(first.position) },
    })
    expect([difference!.stored!.actor, difference!.folded!.actor]).to.deep.equal(['nobody', 'somebody'])
    await pool.query(`delete from postings_v2 where org = 'org-0'`)
    await pool.query(`update ${tableOf(entries)} set revision = revision + 1000 where org = 'org-2' and revision = 4`)
    const found = differing(await check(pool, log)).map(({ table, org, stored }) => [table, org, stored === undefined])
    expect(found).to.deep.include.members([
      ['postings_v2', 'org-0', true],
      [tableOf(entries), 'org-2', true],
      [tableOf(auditLog), 'org-1', false],
    ])
  })

  it('compares the histories too, from which answers of the past come', async () => {
    const pool = await freshPool()
    const events = randomHistory({ seed: 54, count: 200 })
    const log = new MemoryLog(events)
    const runner = startRunner(pool, log)
    await reached(pool, events.at(-1)!.position)
    await runner.close()
    const checked = await check(pool, log)
    const history = checked.find(({ table }) => table === 'tasks_v4_history')!
    expect(history.rows).to.equal(events.filter(({ type }) => type.startsWith('Task')).length)
    await pool.query(`update tasks_v4_history set name = 'another' where org = 'org-1' and revision = 0`)
    await pool.query(`delete from items_v5_history where org = 'org-2' and _position = (
      select max(_position) from items_v5_history where org = 'org-2')`)
    const [lost, changed, ...others] = differing(await check(pool, log))
    expect(others).to.deep.equal([])
    const last = events.findLast(({ type, metadata }) => type.startsWith('Item') && metadata.org === 'org-2')!
    expect(lost).to.deep.include({ table: 'items_v5_history', org: 'org-2', stored: undefined })
    expect(lost!.key).to.deep.equal({ org: 'org-2', id: last.metadata.id, _position: String(last.position) })
    expect(lost!.folded).to.include({ _position: last.position, _removed: false })
    expect(changed).to.deep.include({ table: 'tasks_v4_history', org: 'org-1' })
    expect(canonicalJson(changed!.stored)).to.equal(canonicalJson({ ...changed!.folded, name: 'another' }))
    expect(differing(await check(pool, log, { org: 'org-2', rowsMax: 1 }))).to.have.length(1)
  })

  it('shows the first row of each org that differs: changed, missing, or too many', async () => {
    const pool = await freshPool()
    const events = randomHistory({ seed: 52, count: 300 })
    const log = new MemoryLog(events)
    const runner = startRunner(pool, log)
    await reached(pool, events.at(-1)!.position)
    await runner.close()
    await pool.query(`update balances_v6 set balance = balance + 1 where org = 'org-0' and account = 'main'`)
    await pool.query(`delete from tasks_v4 where org = 'org-1'`)
    await pool.query(`update items_v5 set id = id || '-copy' where org = 'org-2'`)
    const differences = differing(await check(pool, log))
    expect(differences.map(({ table, org }) => `${table} ${org}`)).to.have.members([
      'balances_v6 org-0',
      'tasks_v4 org-1',
      'items_v5 org-2',
    ])
    const [balance, task] = ['balances_v6', 'tasks_v4'].map(name => differences.find(({ table }) => table === name)!)
    expect(balance!.stored!.balance).to.equal((balance!.folded!.balance as bigint) + 1n)
    expect(task!.stored).to.equal(undefined)
    expect(differing(await check(pool, log, { org: 'org-0' })).map(({ table }) => table)).to.deep.equal(['balances_v6'])
  })
})
