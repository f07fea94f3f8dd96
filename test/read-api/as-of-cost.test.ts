import { expect } from 'chai'
import type { Pool } from '../../infra/postgres.ts'
import { tasks } from '../../projections/center/tasks.ts'
import { createIndexes, createTables, historyTableOf, tableOf } from '../../projections/rows/tables.ts'
import { randomHistory } from '../projections/history.ts'
import { freshPool, MemoryLog, reached, separateAll, startRunner } from '../projections/support.ts'
import { type Live, serveReads } from './live.ts'

const LONG = process.env.KOGI_LONG === '1'
/** Versions of one hot task, and tasks of one version each. */
const VERSIONS = LONG ? 500_000 : 50_000

type Query = { readonly text: string; readonly values: readonly unknown[] }
type Plan = {
  readonly 'Node Type': string
  readonly 'Relation Name'?: string
  readonly 'Actual Rows': number
  readonly 'Actual Loops': number
  readonly Plans?: readonly Plan[]
}

const nodesOf = (plan: Plan): readonly Plan[] => [plan, ...(plan.Plans ?? []).flatMap(nodesOf)]

describe('read API: what an answer from the past costs', function cost() {
  this.timeout(LONG ? 600_000 : 60_000)
  let pool: Pool
  let live: Live
  let last: Query | undefined
  before(async () => {
    pool = await freshPool()
    const events = randomHistory({ seed: 71, count: 30 })
    const runner = startRunner(pool, new MemoryLog(events))
    await reached(pool, events.at(-1)!.position)
    await runner.close()
    const history = historyTableOf(tasks)
    await pool.query(`drop table ${tableOf(tasks)}, ${history}`)
    for (const sql of [...createTables(tasks), ...createIndexes(tasks)]) await pool.query(sql)
    const columns = `org, id, name, status, stage, minutes, comments, status_changes, reassignments, team_changes,
      revision, created_revision, created_at, updated_at, _position`
    await pool.query(
      `insert into ${history} (${columns})
       select 'acme', 'hot', 'n' || n, 'open', 'doing', 0, 0, n, 0, 0, n, 0, '', '', n
       from generate_series(1, ${VERSIONS}) n
       union all
       select 'acme', 'task-' || n, 'x', case n % 100 when 0 then 'rare' else 'open' end, 'doing', 0, 0,
         0, 0, 0, 0, 0, '', '', n
       from generate_series(1, ${VERSIONS}) n`,
    )
    await separateAll(pool)
    await pool.query(`update projection_checkpoints set position = ${VERSIONS}`)
    await pool.query(`vacuum analyze ${history}`)
    const watched = {
      options: pool.options,
      query(query: Query) {
        last = query
        return pool.query(query as never)
      },
    }
    live = await serveReads(watched as unknown as Pool)
  })
  after(() => live.close())

  /** Rows of the history that a read looks at, as PostgreSQL counts them; fails where it reads the table as a whole. */
  async function rowsRead(path: string): Promise<number> {
    const { status, body } = await live.get('acme', path)
    expect(status, JSON.stringify(body)).to.equal(200)
    const { rows } = await pool.query(`explain (analyze, format json) ${last!.text}`, [...last!.values])
    const nodes = nodesOf(rows[0]['QUERY PLAN'][0].Plan).filter(node => node['Relation Name'] === historyTableOf(tasks))
    expect(nodes.map(node => node['Node Type'])).to.satisfy((types: string[]) =>
      types.every(type => type.startsWith('Index')),
    )
    return nodes.reduce((sum, node) => sum + node['Actual Rows'] * node['Actual Loops'], 0)
  }

  it('is one row for a thing, at any position of many versions', async () => {
    for (const position of [1, VERSIONS / 2, VERSIONS]) {
      expect(await rowsRead(`/kctr/tasks/hot?as_of=${position}`)).to.equal(1)
    }
  })

  it('is two rows for each row of a page, however many versions the things have', async () => {
    expect(await rowsRead(`/kctr/tasks?limit=20&as_of=${VERSIONS}`)).to.be.within(40, 44)
    const { body } = await live.get('acme', `/kctr/tasks?limit=20&as_of=${VERSIONS}`)
    const next = `/kctr/tasks?limit=20&as_of=${VERSIONS}&after=${body.pagination.next}`
    expect(await rowsRead(next)).to.be.within(40, 44)
  })

  it('is more with a filter, by the things that it passes over', async () => {
    expect(await rowsRead(`/kctr/tasks?limit=3&status=rare&as_of=${VERSIONS}`)).to.be.lessThan(3_000)
  })
})
