/** What a plan reads, however many tasks and dependencies an organization has, and what cancelled tasks are to it. */
import { expect } from 'chai'
import { projects } from '../../projections/center/projects.ts'
import { taskDependencies } from '../../projections/center/task-dependencies.ts'
import { tasks } from '../../projections/center/tasks.ts'
import { tableOf } from '../../projections/rows/tables.ts'
import { makeWorld, type World } from './support.ts'

const LONG = process.env.KOGI_LONG === '1'
const PROJECTS = LONG ? 50 : 10
/** Tasks of each project. */
const SIZE = LONG ? 2_000 : 400
const AT = '2026-01-01T00:00:00.000Z'

type Query = { readonly text: string; readonly values: readonly unknown[] }
type Plan = {
  readonly 'Relation Name'?: string
  readonly 'Actual Rows': number
  readonly 'Actual Loops': number
  readonly 'Rows Removed by Filter'?: number
  readonly Plans?: readonly Plan[]
}
const nodesOf = (plan: Plan): readonly Plan[] => [plan, ...(plan.Plans ?? []).flatMap(nodesOf)]

describe('read API: what the plan of a project costs', function cost() {
  this.timeout(LONG ? 300_000 : 60_000)
  let world: World
  let sent: Query[] = []
  const [rows, links] = [tableOf(tasks), tableOf(taskDependencies)]

  async function addTasks(count: number, task: string, project: string, stage = 'todo') {
    await world.pool.query(
      `insert into ${rows} (org, id, name, status, stage, minutes, comments, project, estimated_hours, status_changes,
        reassignments, team_changes, revision, created_revision, created_at, updated_at)
       select 'acme', ${task}, 'x', 'open', $1, 0, 0, ${project}, 8, 0, 0, 0, 1, 0, '${AT}', '${AT}'
       from generate_series(0, ${count - 1}) n`,
      [stage],
    )
  }
  const addLinks = (pairs: string) =>
    world.pool.query(`insert into ${links} (org, task, dependency, type, lag, revision, created_at)
      select 'acme', t, d, 'finish_start', 0, 1, '${AT}' from (${pairs}) p(t, d)`)

  async function planOf(project: string) {
    const { status, data } = await world.call('acme', `/kctr/projects/${project}/plan`)
    return { status, data: data as { tasks: { task: string }[]; dependencies: number; length: number } }
  }

  before(async () => {
    const watched = {
      query(query: Query) {
        sent.push(query)
        return world.pool.query(query as never)
      },
    }
    world = await makeWorld({ pool: watched as never })
    const names = [...Array.from({ length: PROJECTS }, (_, n) => `project-${n}`), 'cancelled']
    const made = { org: 'acme', name: 'P', status: 'open', lifecycle: 'free', next: [], may_become: [], owner: 'x' }
    const all = names.map(id => ({
      ...made,
      id,
      type: 'x',
      stage: 'todo',
      revision: 1,
      created_at: AT,
      updated_at: AT,
    }))
    const table = tableOf(projects)
    await world.pool.query(`insert into ${table} select * from json_populate_recordset(null::${table}, $1)`, [
      JSON.stringify(all),
    ])
    await addTasks(PROJECTS * SIZE, `'task-' || n`, `'project-' || n / ${SIZE}`)
    await addLinks(`select 'task-' || n, 'task-' || n - k from generate_series(0, ${PROJECTS * SIZE - 1}) n,
      unnest(array[1, 7]) k where n % ${SIZE} >= k`)
    await addTasks(20_002, `'gone-' || n`, `'cancelled'`, 'cancelled')
    await addTasks(2, `'left-' || n`, `'cancelled'`)
    await addTasks(1, `'elsewhere'`, `'project-0'`)
    await addLinks(`values ('left-1', 'left-0'), ('left-1', 'gone-1'), ('gone-1', 'gone-2'), ('gone-1', 'elsewhere'),
      ('gone-3', 'left-0')`)
    await world.pool.query(`vacuum analyze ${rows}, ${links}`)
    await world.move(1n)
  })
  after(() => world.close())

  it('reads its own tasks and dependencies, and none of the others', async () => {
    sent = []
    const { status, data } = await planOf('project-3')
    expect([status, data.tasks.length, data.dependencies]).to.deep.equal([200, SIZE, 2 * SIZE - 8])
    expect(data.length).to.equal(8 * SIZE)
    const { text, values } = sent.at(-1)!
    const found = await world.pool.query(`explain (analyze, format json) ${text}`, [...values])
    const nodes = nodesOf(found.rows[0]['QUERY PLAN'][0].Plan)
    for (const table of [rows, links]) {
      const read = nodes
        .filter(node => node['Relation Name'] === table)
        .reduce(
          (sum, node) => sum + (node['Actual Rows'] + (node['Rows Removed by Filter'] ?? 0)) * node['Actual Loops'],
          0,
        )
      expect(read, table).to.be.at.most(3 * SIZE)
    }
  })

  it('leaves cancelled tasks out, however many there are, and what they wait for is still shown', async () => {
    const { status, data } = await planOf('cancelled')
    expect(status, JSON.stringify(data)).to.equal(200)
    expect(data.tasks.map(({ task }) => task)).to.deep.equal(['elsewhere', 'left-0', 'left-1'])
    expect([data.dependencies, data.length]).to.deep.equal([1, 16])
  })
})
