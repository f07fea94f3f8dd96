import { expect } from 'chai'
import { boundsOf, topologicalOrder } from '../../domain/center/plan/network.ts'
import { taskGraph } from '../../domain/center/taskgraph/taskgraph.ts'
import { type Client, inLanes } from '../support/client.ts'
import { CONTEXT, codeOf } from '../support/spec.ts'
import { type System, startSystem } from '../support/system.ts'
import { commandsOf } from './checks.ts'
import { csv, dataSet, groupBy } from './data-sets.ts'

type Row = Record<string, string>

/** Sprints of each project that are played through the API. */
const PLAYED = process.env.KOGI_LONG ? Number.POSITIVE_INFINITY : 12

const number = (row: Row, name: string) => Number(row[name])
const isWhole = (row: Row, [start, added, removed, ...parts]: readonly string[]) =>
  Math.abs(
    number(row, start!) +
      number(row, added!) -
      number(row, removed!) -
      parts.reduce((sum, name) => sum + number(row, name), 0),
  ) < 1e-6
const ISSUES = ['starttime', 'added', 'removed', 'todo', 'inprogress', 'done'].map(name =>
  ['todo', 'inprogress', 'done'].includes(name) ? `no_issue${name}` : `no_issue_${name}`,
)
const POINTS = ['starttime', 'added', 'removed', 'todo', 'inprogress', 'done'].map(name => `vel_${name}`)

describe('sprints: scope and burn-down of real sprints', function () {
  const set = dataSet(this, 'sprints', 'iterations.csv', 'issue_links.csv')
  const rows = set.oracle ? unquoted(set.text('iterations.csv')) : []
  const sprints = groupBy(
    rows.map(row => ({ ...row, sprint: `${row.project}-${row.boardid}-${row.sprintid}` })),
    'sprint',
  )
  let system: System
  let client: Client
  let command: ReturnType<typeof commandsOf>

  before(async () => {
    system = await startSystem()
    client = await system.clientOf('sprints')
    command = commandsOf(client)
  })
  after(async () => {
    client?.close()
    await system?.stop()
  })

  async function send(method: string, path: string, key: string, body?: object): Promise<string> {
    const answer = await command(method, `/api/v1/kctr${path}`, key, body)
    expect([200, 201, 204], `${path} ${JSON.stringify(answer.body)}`).to.include(answer.status)
    return String(answer.headers['kogi-position'])
  }

  it('has the broken rows of the source, and no others', () => {
    expect(rows).to.have.length(set.oracle.snapshot_rows)
    expect(rows.filter(row => !isWhole(row, POINTS))).to.have.length(set.oracle.points_identity_broken)
    expect(rows.filter(row => !isWhole(row, ISSUES))).to.have.length(set.oracle.issue_identity_broken)
  })

  it('burns down as the source did at each of its marks', async () => {
    const taken = new Map<string, number>()
    const played = [...sprints].filter(([, marks]) => {
      const whole = marks.every(row => isWhole(row, ISSUES)) && number(marks[0]!, ISSUES[0]!) > 0
      const count = taken.get(marks[0]!.project!) ?? 0
      if (whole && count < PLAYED) taken.set(marks[0]!.project!, count + 1)
      return whole && count < PLAYED
    })
    let compared = 0
    await inLanes(new Map(played), 8, async ([sprint, marks]) => {
      const marked = await play(
        sprint,
        marks.toSorted((a, b) => number(a, 'pct_elapsed') - number(b, 'pct_elapsed')),
      )
      compared += marked
    })
    console.log(`    ${played.length} sprints at ${compared} marks`)
    expect(compared).to.be.greaterThan(played.length)
  })

  /** Makes of a sprint what each mark says, and compares its burn-down; a mark that undoes an earlier one ends it. */
  async function play(sprint: string, marks: readonly Row[]): Promise<number> {
    const dates = { start_date: '2026-01-05', end_date: '2026-01-16' }
    await send('POST', '/sprints', `${sprint}`, { id: sprint, name: sprint, ...dates })
    const scope: string[] = []
    let made = 0
    let last = '0'
    const statuses = new Map<string, string>()
    const put = async () => {
      const task = `${sprint}-${made++}`
      await send('POST', '/tasks', task, { id: task, name: task, status: 'To Do' })
      last = await send('PUT', `/tasks/${task}/sprint`, `${task}-in`, { sprint })
      scope.push(task)
      statuses.set(task, 'To Do')
    }
    const [start] = marks.map(row => number(row, ISSUES[0]!))
    for (let n = 0; n < start!; n += 1) await put()
    last = await send('POST', `/sprints/${sprint}/start`, `${sprint}-start`)
    let [added, removed, compared] = [0, 0, 0]
    for (const row of marks) {
      const [began, more, fewer, , doing, done] = ISSUES.map(name => number(row, name))
      if (began !== start || more! < added || fewer! < removed) break
      for (; added < more!; added += 1) await put()
      for (; removed < fewer!; removed += 1) {
        const task = scope.pop()!
        last = await send('PUT', `/tasks/${task}/sprint`, `${task}-out`, { sprint: null })
      }
      for (const [n, task] of scope.entries()) {
        const status = n < done! ? 'Done' : n < done! + doing! ? 'In Progress' : 'To Do'
        if (statuses.get(task) === status) continue
        last = await send('PUT', `/tasks/${task}/status`, `${task}-${row.pct_elapsed}`, { status })
        statuses.set(task, status)
      }
      const headers = { 'Kogi-Min-Position': last }
      const { body } = await client.call('GET', `/api/v1/kctr/sprints/${sprint}/burndown?wait=30000`, { headers })
      const found = ['start', 'added', 'removed', 'todo', 'doing', 'done'].map(name => body.data[name].tasks)
      expect(found, `${sprint} at ${row.pct_elapsed} %`).to.deep.equal(ISSUES.map(name => number(row, name)))
      compared += 1
    }
    return compared
  }

  it('takes dependencies without circles, and refuses those that would close one', () => {
    const links = unquoted(set.text('issue_links.csv'))
    expect(links).to.have.length(set.oracle.issue_links)
    const edges = links.flatMap(({ issue, linked_issue: linked, relation }) =>
      relation === 'blocks' ? [[linked!, issue!]] : relation === 'is blocked by' ? [[issue!, linked!]] : [],
    )
    let graph = taskGraph.initial
    let refused = 0
    const kept = new Set<string>()
    for (const [task, dependency] of edges as [string, string][]) {
      const asked = { task, dependency, type: 'finish_start', lag: 0 } as const
      const code = codeOf(() => {
        for (const { type, data } of taskGraph.decide.addDependency(graph, asked, CONTEXT)) {
          graph = taskGraph.evolve[type](graph, data as never, CONTEXT.at)
          kept.add(`${task} ${dependency}`)
        }
      })
      if (code !== undefined) expect(code).to.equal('dependency_circular')
      refused += code === undefined ? 0 : 1
    }
    const names = [...new Set([...kept].flatMap(edge => edge.split(' ')))]
    const places = new Map(names.map((name, at) => [name, at]))
    const network = [...kept].map(edge => {
      const [to, from] = edge.split(' ').map(name => places.get(name)!)
      return { from: from!, to: to!, kind: 'finish_start' as const, lag: 0 }
    })
    const order = topologicalOrder(boundsOf({ durations: names.map(() => 1), links: network }))
    expect(order, 'no circle').to.have.length(names.length)
    console.log(`    ${kept.size} dependencies, ${refused} refused because they would close a circle`)
  })
})

/** Rows of a CSV file in which commas stand in quoted fields. */
function unquoted(text: string): Row[] {
  const bare = text.replaceAll(/"((?:[^"]|"")*)"/g, (_, inside: string) => inside.replaceAll(/[,\r\n]/g, ' '))
  return csv(bare)
}
