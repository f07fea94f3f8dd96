import { expect } from 'chai'
import type { StoredEvent } from '../../domain/kernel/event.ts'
import { projections, resources } from '../../infra/catalogue.ts'
import type { Pool } from '../../infra/postgres.ts'
import { projectionStatus, pruneVersions } from '../../projections/care/operate.ts'
import { tasks } from '../../projections/center/tasks.ts'
import { readCheckpoints } from '../../projections/ownership/checkpoints.ts'
import { OWN_CHECKPOINTS } from '../../projections/ownership/tables.ts'
import type { AnyProjection } from '../../projections/rows/projection.ts'
import { tableOf } from '../../projections/rows/tables.ts'
import type { Runner } from '../../projections/runner/runner.ts'
import { accountMonths } from '../../projections/wallet/account-months.ts'
import { randomHistory } from '../projections/history.ts'
import { expectFolded, freshPool, MemoryLog, reached, startRunner, until } from '../projections/support.ts'
import { type Code, type Live, serveReads } from './live.ts'

/** The next release: tasks are folded otherwise, which shows in their names. */
const loudTasks = {
  ...tasks,
  version: tasks.version + 1,
  on: { ...tasks.on, TaskCreated: loud('TaskCreated'), TaskChanged: loud('TaskChanged') },
} as unknown as AnyProjection
const before: Code = { projections, resources }
const after: Code = {
  projections: projections.map(each => (each === tasks ? loudTasks : each)),
  resources: resources.map(each => (each.projection === tasks ? { ...each, projection: loudTasks } : each)),
}

function loud(type: 'TaskCreated' | 'TaskChanged') {
  const created = tasks.on[type] as { keys: unknown; fold: (...args: never[]) => { name: string } }
  const fold = (...args: never[]) => {
    const row = created.fold(...args)
    return { ...row, name: `LOUD ${row.name.replace(/^LOUD /, '')}` }
  }
  return { keys: created.keys, fold }
}

describe('read API: two releases at once', function versions() {
  this.timeout(60_000)
  const events = randomHistory({ seed: 81, count: 260, orgs: 4 })
  const [stored, coming] = [events.slice(0, 120), events.slice(120)]
  const org = 'org-1'
  const SLOWLY = { batch: { min: 3, max: 3, targetMs: 10 } }
  let pool: Pool
  let log: MemoryLog
  let oldRunner: Runner
  const open: Live[] = []
  const serve = async (code: Code) => {
    const live = await serveReads(pool, code)
    open.push(live)
    return live
  }
  const runs = (code: Code, more = {}) => startRunner(pool, log, { projections: code.projections, ...more })
  const namesOf = async (live: Live) =>
    (await live.get(org, '/kctr/tasks?limit=500')).body.data.map(({ name }: { name: string }) => name) as string[]

  beforeEach(async () => {
    pool = await freshPool()
    log = new MemoryLog(stored)
    oldRunner = runs(before)
    await reached(pool, stored.at(-1)!.position)
  })
  afterEach(async () => {
    await Promise.all(open.splice(0).map(live => live.close()))
  })

  /** Appends events one by one, as commands would, until all are there. */
  async function append(list: readonly StoredEvent[]): Promise<void> {
    for (const event of list) {
      log.append(event)
      await new Promise(resolve => setTimeout(resolve, 3))
    }
  }

  it('builds the new version beside the old one, which answers all the while', async () => {
    const old = await serve(before)
    const fresh = await serve(after)
    const refused = await fresh.get(org, '/kctr/tasks')
    expect([refused.status, refused.body.error.code]).to.deep.equal([503, 'read_model_building'])
    expect(refused.headers['retry-after']).to.match(/^\d+$/)
    expect(refused.body.error.details[0]).to.deep.equal({
      field: tableOf(loudTasks),
      message: `at position 0 of ${stored.at(-1)!.position}`,
    })
    expect(await fresh.ready().catch(error => error.code)).to.equal('read_model_building')
    expect((await fresh.get(org, '/kbfc/items')).status, 'other read models answer').to.equal(200)

    const appending = append(coming)
    const newRunner = runs(after, SLOWLY)
    let ready = false
    while (!ready) {
      const [before, answer] = [await old.get(org, '/kctr/tasks'), await fresh.get(org, '/kctr/tasks?limit=500')]
      expect(before.status, 'the old release goes on').to.equal(200)
      ready = answer.status === 200
      if (!ready) expect(answer.body.error.code).to.equal('read_model_building')
      else expect(BigInt(answer.body.meta.position) >= stored.at(-1)!.position, 'reached').to.equal(true)
    }
    await fresh.ready()
    await appending
    await reached(pool, events.at(-1)!.position)
    await reached(pool, events.at(-1)!.position, after.projections)
    expect(await namesOf(old)).to.have.length.greaterThan(0)
    expect(await namesOf(fresh)).to.deep.equal((await namesOf(old)).map(name => `LOUD ${name}`))
    await Promise.all([newRunner.close(), oldRunner.close()])
    await expectFolded(pool, events)
    await expectFolded(pool, events, after.projections)
  })

  it('waits for the indexes of the new version: without them its answers would be slow', async () => {
    const newRunner = runs(after)
    await reached(pool, stored.at(-1)!.position, after.projections)
    const index = `${tableOf(loudTasks)}_by_org_team_id`
    await until(async () => (await pool.query('select to_regclass($1) as it', [index])).rows[0].it, 'the index')
    await Promise.all([newRunner.close(), oldRunner.close()])
    await pool.query(`alter index ${index} rename to away`)
    const fresh = await serve(after)
    const refused = await fresh.get(org, '/kctr/tasks')
    expect([refused.status, refused.body.error.code]).to.deep.equal([503, 'read_model_building'])
    expect(refused.body.error.details[0].message).to.equal('1 of its indexes are still to come')
    await pool.query(`alter index away rename to ${index}`)
    await until(async () => (await fresh.get(org, '/kctr/tasks')).status === 200, 'the new version to be read')
  })

  it('waits for a read model that answers have moved to, as far as the one that they had before', async () => {
    const reports = ['/kwlt/trial-balance', '/kwlt/net-worth?currency=EUR&day=2026-01-31']
    const old = await serve(before)
    const answers = async (live: Live) => {
      const all = await Promise.all(reports.map(path => live.get(org, path)))
      for (const { status, body } of all) expect(status, JSON.stringify(body)).to.equal(200)
      return all.map(({ body }) => body.data)
    }
    const wanted = await answers(old)
    expect(wanted[0].accounts).not.to.have.length(0)
    await oldRunner.close()
    await pool.query(`truncate ${tableOf(accountMonths)}`)
    await pool.query(`delete from ${OWN_CHECKPOINTS} where projection = $1`, [accountMonths.name])
    const early = stored[stored.length >> 1]!.position
    const few = startRunner(pool, new MemoryLog(stored.slice(0, (stored.length >> 1) + 1)), {
      projections: [accountMonths],
    })
    await reached(pool, early, [accountMonths])
    await few.close()

    const fresh = await serve(before)
    for (const path of reports) {
      const refused = await fresh.get(org, path)
      expect([refused.status, refused.body.error?.code], path).to.deep.equal([503, 'read_model_building'])
      expect(refused.body.error.details).to.deep.equal([
        { field: tableOf(accountMonths), message: `at position ${early} of ${stored.at(-1)!.position}` },
      ])
    }
    expect((await fresh.get(org, '/kwlt/wallets')).status, 'other read models answer').to.equal(200)
    const again = runs(before)
    await until(async () => (await fresh.get(org, reports[0]!)).status === 200, 'the months to catch up')
    await reached(pool, stored.at(-1)!.position)
    expect(await answers(fresh)).to.deep.equal(wanted)
    await again.close()
  })

  it('rolls back: the old release finds its tables, and answers once they have caught up', async () => {
    await oldRunner.close()
    const newRunner = runs(after)
    await append(coming)
    await reached(pool, events.at(-1)!.position, after.projections)
    await newRunner.close()

    const back = await serve(before)
    const waiting = await back.get(org, '/kctr/tasks')
    expect([waiting.status, waiting.body.error.code]).to.deep.equal([503, 'read_model_building'])
    expect(waiting.body.error.details[0].message).to.equal(
      `at position ${stored.at(-1)!.position} of ${events.at(-1)!.position}`,
    )
    const again = runs(before)
    await until(async () => (await back.get(org, '/kctr/tasks')).status === 200, 'the old tables to catch up')
    await back.ready()
    await again.close()
    await expectFolded(pool, events)
    expect((await readCheckpoints(pool, [loudTasks])).length, 'the new tables are still there').to.equal(16)
  })

  it('is ready at once where nothing is built beside it', async () => {
    const live = await serve(before)
    await live.ready()
    expect((await live.get(org, '/kctr/tasks')).status).to.equal(200)
  })

  it('prunes what is old, but nothing that lives and nothing that is newer', async () => {
    const old = await serve(before)
    await old.get(org, '/kctr/tasks')
    const newRunner = runs(after)
    await reached(pool, stored.at(-1)!.position, after.projections)
    const prune = (code: Code) => pruneVersions(pool, code.projections)
    expect(await prune(after)).to.deep.equal([{ table: tableOf(tasks), kept: 'a projector runs it' }])
    const { statuses } = await projectionStatus(pool, after.projections, async () => stored.at(-1)!.position)
    const older = statuses.find(({ version, projection }) => projection === 'tasks' && version === tasks.version)
    expect(older!.state).to.equal('running')
    await oldRunner.close()
    expect(await prune(after)).to.deep.equal([{ table: tableOf(tasks), kept: 'a process reads it' }])
    expect(await namesOf(old)).to.have.length.greaterThan(0)
    await newRunner.close()
    expect(await prune(before)).to.deep.equal([{ table: tableOf(loudTasks), kept: 'newer' }])
    await old.close()
    expect(await prune(after)).to.deep.equal([{ table: tableOf(tasks) }])
    expect(await prune(after)).to.deep.equal([])
    const { rows } = await pool.query(`select relname from pg_class where relname like '${tableOf(tasks)}%'`)
    expect(rows).to.deep.equal([])
    expect(await readCheckpoints(pool, [tasks])).to.deep.equal([])
  })

  it('does not let a projection begin to keep a history without a version of its own', async () => {
    await oldRunner.close()
    await pool.query(`drop table ${tableOf(tasks)}_history`)
    const runner = runs(before)
    await until(() => runner.trouble !== undefined, 'trouble')
    expect(String(runner.trouble)).to.contain('raise the version')
  })
})
