import { expect } from 'chai'
import { tasks } from '../../projections/center/tasks.ts'
import { tableOf } from '../../projections/rows/tables.ts'
import { makeWorld, type World } from './support.ts'

const LONG = process.env.KOGI_LONG === '1'
/** Tasks of each of two orgs; one in a hundred is rare, one in five has no day. */
const TASKS = LONG ? 100_000 : 20_000
/** Tasks of each org with a rare label; all have a common one. */
const TASKS_URGENT = 50
const LIMIT = 20
/** A page reads this many rows at most: also where PostgreSQL passes over rows because most of them match. */
const A_FEW_PAGES = 6 * LIMIT

type Query = { readonly text: string; readonly values: readonly unknown[] }
type Plan = {
  readonly 'Node Type': string
  readonly 'Relation Name'?: string
  readonly 'Actual Rows': number
  readonly 'Actual Loops': number
  readonly 'Rows Removed by Filter'?: number
  readonly Plans?: readonly Plan[]
}

const nodesOf = (plan: Plan): readonly Plan[] => [plan, ...(plan.Plans ?? []).flatMap(nodesOf)]

describe('read API: what a list and a summary cost', function cost() {
  this.timeout(LONG ? 300_000 : 60_000)
  let world: World
  let sent: Query[] = []
  before(async () => {
    const watched = {
      query(query: Query) {
        sent.push(query)
        return world.pool.query(query as never)
      },
    }
    world = await makeWorld({ pool: watched as never })
    const table = tableOf(tasks)
    const columns = `org, id, name, status, stage, minutes, comments, assignee, labels, due_on, status_changes,
      reassignments, team_changes, revision, created_revision, created_at, updated_at`
    await world.pool.query(
      `insert into ${table} (${columns})
       select org, 'task-' || lpad(n::text, 6, '0'), 'x', case n % 100 when 0 then 'rare' else 'open' end,
         'doing', 0, 0, 'member-' || n % 500,
         case when n % ${TASKS / TASKS_URGENT} = 0 then '["urgent", "web"]'::jsonb else '["web"]' end,
         case when n % 5 > 0 then to_char(date '2026-01-01' + n % 365, 'YYYY-MM-DD') end,
         1, 2, 3, 4, 0, '2026-01-01T00:00:00.000Z', ''
       from generate_series(1, ${TASKS}) n, unnest('{acme,other}'::text[]) org`,
    )
    await world.pool.query(`vacuum analyze ${table}`)
    await world.move(1n)
  })
  after(() => world.close())

  /** Asks one question in one statement, and explains that. */
  async function explained(path: string) {
    sent = []
    const answer = await world.call('acme', path)
    expect(answer.status, `${path} ${JSON.stringify(answer)}`).to.equal(200)
    expect(sent, path).to.have.length(1)
    const { text, values } = sent[0]!
    const { rows } = await world.pool.query(`explain (analyze, format json) ${text}`, [...values])
    const nodes = nodesOf(rows[0]['QUERY PLAN'][0].Plan).filter(node => node['Relation Name'] === tableOf(tasks))
    const read = nodes.reduce(
      (sum, node) => sum + (node['Actual Rows'] + (node['Rows Removed by Filter'] ?? 0)) * node['Actual Loops'],
      0,
    )
    return { answer, read, types: nodes.map(node => node['Node Type']) }
  }

  /** Rows that a page reads, itself counted in; fails where a table is read as a whole. */
  async function rowsRead(query: string) {
    const { answer, read, types } = await explained(`/kctr/tasks?limit=${LIMIT}&${query}`)
    expect(types, query).to.satisfy((all: string[]) => all.every(type => /Index|Bitmap/.test(type)))
    expect(answer.data, query).to.have.length(LIMIT)
    return { read, next: answer.pagination!.next! }
  }

  for (const query of [
    ...['', 'sort=-id', 'sort=due_on', 'sort=-due_on', 'sort=assignee', 'sort=-created_at'],
    ...['due_on[gte]=2026-12-01&sort=due_on', 'due_on[lt]=2026-02-01&sort=-due_on', 'due_on[absent]=true'],
    ...['assignee[prefix]=member-12&sort=assignee', 'status=rare', 'status=rare,none&sort=status'],
  ]) {
    it(`is the rows of a page, first and next: ?${query}`, async () => {
      const first = await rowsRead(query)
      expect(first.read).to.be.at.most(A_FEW_PAGES)
      const next = await rowsRead(`${query}&after=${first.next}`)
      expect(next.read).to.be.at.most(A_FEW_PAGES)
    })
  }

  it('is the rows of a page where those without a value begin, upwards and downwards', async () => {
    const places = [
      ['sort=due_on', ['Tasks due_on', '2026-12-31', 'task-000100']],
      ['sort=-due_on', ['Tasks -due_on', null, 'task-000006']],
    ] as const
    for (const [query, place] of places) {
      const after = Buffer.from(JSON.stringify(place)).toString('base64url')
      const { read } = await rowsRead(`${query}&after=${after}`)
      expect(read, query).to.be.at.most(A_FEW_PAGES)
    }
  })

  it('is the matches of a list that few or no rows hold', async () => {
    for (const [query, found] of [
      ['labels=urgent', 20],
      ['labels=nothing', 0],
      ['labels[absent]=true', 0],
    ] as const) {
      const { answer, read } = await explained(`/kctr/tasks?limit=${LIMIT}&${query}`)
      expect(answer.data, query).to.have.length(found)
      expect(read, query).to.be.at.most(2 * TASKS_URGENT)
    }
  })

  it('is the matches of a narrow filter, in whatever order', async () => {
    for (const query of ['assignee=member-7', 'assignee[prefix]=member-77', 'due_on=2026-03-02,2026-03-03']) {
      const { read } = await rowsRead(`${query}&sort=-created_at`)
      expect(read, query).to.be.at.most(TASKS / 50)
    }
  })

  it('is the rows of the org once for a summary, those of its filter where that is narrow', async () => {
    const all = await explained('/kctr/tasks/summary?by=status,due_on:month&sum=status_changes,team_changes&limit=1000')
    expect(all.read).to.be.at.most(2 * TASKS)
    const some = await explained('/kctr/tasks/summary?by=due_on:week&assignee=member-7')
    expect(some.read).to.be.at.most(TASKS / 400)
  })

  it('counts the tasks of each status and assignee without reading their rows', async () => {
    const { answer, types } = await explained('/kctr/tasks/summary?by=status,assignee&limit=1000')
    const groups = answer.data as { count: number }[]
    expect(groups.reduce((sum, { count }) => sum + count, 0)).to.equal(TASKS)
    expect(types).to.deep.equal(['Index Only Scan'])
  })
})
