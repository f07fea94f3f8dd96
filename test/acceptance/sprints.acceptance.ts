import { expect } from 'chai'
import { boundsOf, topologicalOrder } from '../../domain/center/plan/network.ts'
import { taskGraph } from '../../domain/center/taskgraph/taskgraph.ts'
import { type Client, inLanes } from '../support/client.ts'
import { CONTEXT, codeOf } from '../support/spec.ts'
import { type System, startSystem } from '../support/system.ts'
import { csv, dataSet, groupBy } from './data-sets.ts'

type Row = Record<string, string>

/** Commands of one bulk. */
const BULK_MAX = 1_000

type Command = { readonly command: string; readonly id: string; readonly key: string; readonly body: object }

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

  before(async () => {
    system = await startSystem()
    client = await system.clientOf('sprints')
  })
  after(async () => {
    client?.close()
    await system?.stop()
  })

  /** Gives commands in order, as bulks, and answers the position of the last one. */
  async function give(commands: readonly Command[]): Promise<string> {
    let last = '0'
    for (let from = 0; from < commands.length; from += BULK_MAX) {
      const part = commands.slice(from, from + BULK_MAX)
      const { status, body, headers } = await client.call('POST', '/api/v1/bulk', { body: { commands: part } })
      expect(status, JSON.stringify(body)).to.equal(200)
      for (const [n, result] of body.data.results.entries()) {
        expect(result.status, `${part[n]!.key} ${JSON.stringify(result)}`).to.be.within(200, 204)
      }
      last = String(headers['kogi-position'])
    }
    return last
  }

  it('has the broken rows of the source, and no others', () => {
    expect(rows).to.have.length(set.oracle.snapshot_rows)
    expect(rows.filter(row => !isWhole(row, POINTS))).to.have.length(set.oracle.points_identity_broken)
    expect(rows.filter(row => !isWhole(row, ISSUES))).to.have.length(set.oracle.issue_identity_broken)
  })

  it('burns down as the source did at each of its marks', async () => {
    let [compared, whole] = [0, 0]
    await inLanes(new Map(sprints), 8, async ([sprint, marks]) => {
      const inOrder = marks.toSorted((a, b) => number(a, 'pct_elapsed') - number(b, 'pct_elapsed'))
      const marked = await play(sprint, inOrder)
      compared += marked
      if (marked === marks.length) whole += 1
    })
    console.log(`    ${sprints.size} sprints at ${compared} of ${rows.length} marks, ${whole} of them to their end`)
    // What is left out are marks that do not add up, and those that undo what an earlier one of their sprint said.
    const undone = [...sprints.values()].flatMap(left)
    expect(compared).to.equal(rows.length - undone.length)
  })

  /** Makes of a sprint what each mark says, and compares its burn-down. */
  async function play(sprint: string, marks: readonly Row[]): Promise<number> {
    const dates = { start_date: '2026-01-05', end_date: '2026-01-16' }
    const of = (command: string, id: string, key: string, body: object = {}) => ({ command, id, key, body })
    await give([of('sprint.plan', sprint, sprint, { name: sprint, ...dates })])
    const scope: string[] = []
    const statuses = new Map<string, string>()
    let waiting: Command[] = []
    let made = 0
    const put = () => {
      const task = `${sprint}-${made++}`
      waiting.push(of('task.create', task, task, { name: task, status: 'To Do' }))
      waiting.push(of('task.moveToSprint', task, `${task}-in`, { sprint }))
      scope.push(task)
      statuses.set(task, 'To Do')
    }
    const start = number(marks[0]!, ISSUES[0]!)
    for (let n = 0; n < start; n += 1) put()
    await give(waiting)
    let last = await give([of('sprint.start', sprint, `${sprint}-start`)])
    let [added, removed, compared] = [0, 0, 0]
    for (const row of followed(marks)) {
      waiting = []
      const [, more, fewer, , doing, done] = ISSUES.map(name => number(row, name))
      for (; added < more!; added += 1) put()
      for (; removed < fewer!; removed += 1) {
        const task = scope.pop()!
        waiting.push(of('task.moveToSprint', task, `${task}-out`, { sprint: null }))
      }
      for (const [n, task] of scope.entries()) {
        const status = n < done! ? 'Done' : n < done! + doing! ? 'In Progress' : 'To Do'
        if (statuses.get(task) === status) continue
        waiting.push(of('task.changeStatus', task, `${task}-${row.pct_elapsed}`, { status }))
        statuses.set(task, status)
      }
      if (waiting.length > 0) last = await give(waiting)
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

/** The marks of a sprint, in order, up to the first one that does not add up or undoes what an earlier one said. */
function followed(marks: readonly Row[]): readonly Row[] {
  const counts = ([...ISSUES.slice(0, 3)] as const).map(name => (at: number) => number(marks[at]!, name))
  const [began, added, removed] = counts as [(at: number) => number, (at: number) => number, (at: number) => number]
  const end = marks.findIndex(
    (row, at) =>
      !isWhole(row, ISSUES) ||
      began(at) !== began(0) ||
      (at > 0 && (added(at) < added(at - 1) || removed(at) < removed(at - 1))),
  )
  return end < 0 ? marks : marks.slice(0, end)
}

/** The marks of a sprint that cannot be followed. */
const left = (marks: readonly Row[]): readonly Row[] => {
  const inOrder = marks.toSorted((a, b) => number(a, 'pct_elapsed') - number(b, 'pct_elapsed'))
  return inOrder.slice(followed(inOrder).length)
}

/** Rows of a CSV file in which commas stand in quoted fields. */
function unquoted(text: string): Row[] {
  const bare = text.replaceAll(/"((?:[^"]|"")*)"/g, (_, inside: string) => inside.replaceAll(/[,\r\n]/g, ' '))
  return csv(bare)
}
