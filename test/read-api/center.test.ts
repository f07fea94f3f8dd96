import { expect } from 'chai'
import { daysUntilDone, percentileOf } from '../../domain/center/plan/forecast.ts'
import { csvLines } from '../../domain/record/csv.ts'
import { calendarQuestion } from '../../read-api/center/files.ts'
import { dayOf } from '../../read-api/computed.ts'
import { addSpent } from './spent.ts'
import { History, makeWorld, type World } from './support.ts'

const ORG = 'north'
const at = (day: string, hour = 12) => `2026-03-${day}T${String(hour).padStart(2, '0')}:00:00.000Z`

/** Answers about the flow of work, written out for a small history. */
describe('read API: how work flows', () => {
  let world: World
  const history = new History()
  /** The position of the last event of a time. */
  let positions: ReadonlyMap<string, bigint>
  let spentAt: readonly bigint[]
  const add = (category: string, id: string, type: string, data: object, when: string) =>
    history.add(ORG, category, id, type, data, when)
  const task = (id: string, data: object, when: string) => add('task', id, 'TaskCreated', { name: id, ...data }, when)
  const moved = (id: string, from: string, to: string, when: string) =>
    add('task', id, 'TaskStatusChanged', { from, to }, when)
  const sprinted = (id: string, from: string | null, to: string | null, when: string) =>
    add('task', id, 'TaskMovedToSprint', { from, to }, when)

  before(async () => {
    add(
      'project',
      'p',
      'ProjectAdded',
      { name: 'P', status: 'active', starts_on: '2026-03-05', owner: 'ann' },
      at('01'),
    )
    task('a', { status: 'open', project: 'p', assignee: 'ann', estimatedHours: 8 }, at('01'))
    task('b', { status: 'open', project: 'p', assignee: 'ann', estimatedHours: 4, dueOn: '2026-03-03' }, at('01'))
    task('c', { status: 'open', project: 'p', assignee: 'bob', estimatedHours: 16 }, at('02'))
    task('d', { status: 'open', estimatedHours: 2 }, at('02'))
    task('x', { status: 'open', project: 'p', assignee: 'bob', estimatedHours: 3 }, at('08'))
    moved('x', 'open', 'cancelled', at('08', 13))
    const plan = { name: 'S', project: 'p', start_date: '2026-03-03', end_date: '2026-03-06' }
    add('sprint', 's', 'SprintPlanned', plan, at('02'))
    for (const id of ['a', 'b']) sprinted(id, null, 's', at('02', 13))
    add('sprint', 's', 'SprintStarted', {}, at('03', 8))
    moved('a', 'open', 'doing', at('03'))
    sprinted('c', null, 's', at('04'))
    add('task', 'c', 'TaskChanged', { estimatedHours: 10 }, at('04', 13))
    moved('a', 'doing', 'done', at('05'))
    sprinted('b', 's', null, at('05'))
    add('sprint', 's', 'SprintCompleted', {}, at('06', 18))
    moved('c', 'open', 'done', at('07'))
    add('task', 'd', 'TaskRemoved', {}, at('07'))
    const link = { type: 'finish_start', lag: 1 }
    add('taskgraph', 'tasks', 'DependencyAdded', { task: 'c', dependency: 'a', ...link }, at('07', 13))
    add('taskgraph', 'tasks', 'DependencyAdded', { task: 'b', dependency: 'd', ...link }, at('07', 13))
    positions = new Map(history.events.map(({ metadata, position }) => [metadata.at, position]))
    spentAt = addSpent(history, ORG)
    // Another organization, at the end of the calendar, with more tasks than one levelled plan may have.
    const far = { status: 'open', project: 'far' }
    history.add('south', 'project', 'far', 'ProjectAdded', { name: 'Far', status: 'active', owner: 'ann' }, at('07'))
    for (let n = 0; n < 2_001; n += 1) {
      history.add('south', 'task', `t${n}`, 'TaskCreated', { name: 'T', ...far, dueOn: '9999-12-31' }, at('07'))
    }
    history.add('south', 'task', 't0', 'TaskCompleted', { from: 'open' }, at('07', 13))
    const risk = { title: 'R', probability: 0.5, impact: 0.8, status: 'open', project: 'p', owner: 'ann' }
    add('risk', 'r', 'RiskAdded', risk, at('07', 13))
    world = await makeWorld()
    await world.write(history)
  })
  after(() => world.close())

  async function ask(path: string): Promise<Record<string, never>> {
    const { status, data, message } = await world.call(ORG, path)
    expect(status, `${path} ${message}`).to.equal(200)
    return data as Record<string, never>
  }

  it('counts what is to do, in work and done at the end of each day', async () => {
    const days = (await ask('/kctr/flow?from=2026-03-01&to=2026-03-07')) as unknown as Record<
      'todo' | 'doing' | 'done',
      { tasks: number; hours: number }
    >[]
    expect(days.map(({ todo, doing, done }) => [todo.tasks, doing.tasks, done.tasks, todo.hours])).to.deep.equal([
      [2, 0, 0, 12],
      [4, 0, 0, 30],
      [3, 1, 0, 22],
      [3, 1, 0, 16],
      [3, 0, 1, 16],
      [3, 0, 1, 16],
      [1, 0, 2, 4],
    ])
    const own = (await ask('/kctr/flow?from=2026-03-07&to=2026-03-07&assignee=bob')) as unknown
    expect(own).to.deep.equal([
      {
        day: '2026-03-07',
        todo: { tasks: 0, hours: 0 },
        doing: { tasks: 0, hours: 0 },
        done: { tasks: 1, hours: 10 },
        cancelled: { tasks: 0, hours: 0 },
      },
    ])
    const [last] = (await ask('/kctr/flow?from=2026-03-08&to=2026-03-08&assignee=bob')) as unknown as object[]
    expect(last).to.deep.include({ done: { tasks: 1, hours: 10 }, cancelled: { tasks: 1, hours: 3 } })
  })

  it('burns down: what a sprint began with, what came and what went add up to what is in it', async () => {
    const { days, ...burndown } = await ask('/kctr/sprints/s/burndown')
    expect(burndown).to.deep.equal({
      sprint: 's',
      status: 'completed',
      start: { tasks: 2, hours: 12 },
      added: { tasks: 1, hours: 16 },
      removed: { tasks: 1, hours: 4 },
      reestimated: { tasks: 1, hours: -6 },
      todo: { tasks: 1, hours: 10 },
      doing: { tasks: 0, hours: 0 },
      done: { tasks: 1, hours: 8 },
      cancelled: { tasks: 0, hours: 0 },
    })
    const left = (days as unknown as { day: string; todo: { hours: number }; doing: { hours: number } }[]).map(
      ({ day, todo, doing }) => [day, todo.hours + doing.hours],
    )
    expect(left).to.deep.equal([
      ['2026-03-03', 12],
      ['2026-03-04', 22],
      ['2026-03-05', 10],
      ['2026-03-06', 10],
    ])
    expect(await ask('/kctr/projects/p/velocity')).to.deep.equal([
      {
        sprint: 's',
        name: 'S',
        completed_at: at('06', 18),
        committed: { tasks: 2, hours: 12 },
        completed: { tasks: 1, hours: 8 },
      },
    ])
  })

  it('plans a project by its dependencies, and by people', async () => {
    const plan = (await ask('/kctr/projects/p/plan?level=true')) as unknown as {
      length: number
      level_length: number
      from: string
      to: string
      tasks: { task: string; earliest_start: number; slack: number; planned_start: number; starts_on: string }[]
    }
    expect([plan.length, plan.level_length, plan.from, plan.to]).to.deep.equal([19, 19, '2026-03-05', '2026-03-09'])
    expect(plan.tasks.map(each => [each.task, each.earliest_start, each.slack, each.starts_on])).to.deep.equal([
      ['a', 0, 0, '2026-03-05'],
      ['b', 0, 15, '2026-03-06'],
      ['c', 9, 0, '2026-03-06'],
    ])
    expect(plan.tasks.map(({ planned_start: start }) => start)).to.deep.equal([0, 8, 9])
    expect((await ask('/kctr/projects/p/plan?left=true')).length).to.equal(4)
    expect((await world.call(ORG, '/kctr/projects/none/plan')).status).to.equal(404)
  })

  it('says how long tasks take, and who has how much to do', async () => {
    const [all] = (await ask('/kctr/cycle-times?from=2026-03-01&to=2026-03-31')) as unknown as object[]
    expect(all).to.deep.equal({
      group: 'all',
      completed: 2,
      lead: { mean: 4.5, median: 4, p85: 5, p95: 5 },
      cycle: { mean: 1, median: 0, p85: 2, p95: 2 },
    })
    expect(await ask('/kctr/workload')).to.deep.equal([
      { assignee: 'ann', todo: 1, doing: 0, hours_left: 4, overdue: 1, without_estimate: 0 },
    ])
    expect(await ask(`/kctr/workload?as_of=${positions.get(at('02', 13))}&day=2026-03-02`)).to.deep.include({
      assignee: 'bob',
      todo: 1,
      doing: 0,
      hours_left: 16,
      overdue: 0,
      without_estimate: 0,
    })
  })

  it('forecasts by what was done, the same for the same seed', async () => {
    const path = `/kctr/forecast?day=2026-03-08&history=7&left=4`
    const forecast = await ask(path)
    expect(await ask(path)).to.deep.equal(forecast)
    expect(forecast).to.include({ left: 4, percentile: 85, history: 7, throughput: 0.286 })
    const days = daysUntilDone({ daily: [0, 0, 0, 0, 1, 0, 1], left: 4, runs: 5_000, seed: 1 })!
    expect(forecast).to.include({ days: percentileOf(days, 85), learnt_from: 0 })
    const nothing = await ask(`/kctr/forecast?as_of=${positions.get(at('03', 8))}&day=2026-03-03`)
    expect(nothing).to.include({ left: 4, throughput: 0 }).and.not.have.property('days')
  })

  it('ends with the calendar, and refuses what would take too long', async () => {
    const answer = (path: string) => world.call('south', path)
    const flow = await answer('/kctr/flow?from=9999-12-30&to=9999-12-31')
    expect((flow.data as { day: string }[]).map(({ day }) => day)).to.deep.equal(['9999-12-30', '9999-12-31'])
    expect(await answer('/kctr/flow?from=0001-01-01')).to.include({ status: 400, code: 'invalid_parameter' })
    expect(await answer('/kctr/flow?to=0001-01-01')).to.include({ status: 200 })
    expect((await answer('/kctr/cycle-times?to=9999-12-31')).data).to.deep.equal([])
    expect((await answer('/kctr/forecast?day=9999-12-31&left=5&history=3650')).data).to.not.have.property('days')
    const slow = await answer('/kctr/forecast?day=2026-03-08&history=3650&left=1000000')
    expect(slow.data).to.include({ left: 1_000_000 }).and.not.have.property('days')
    const plan = await answer('/kctr/projects/far/plan?from=9999-12-31')
    expect(plan.data).to.include({ from: '9999-12-31', to: '9999-12-31', status: 'without_estimates' })
    const levelled = await answer('/kctr/projects/far/plan?level=true')
    expect(levelled).to.include({ status: 400, code: 'invalid_parameter' })
    expect((await answer('/kctr/calendar')).file!.content).to.include('DTSTART;VALUE=DATE:99991231\r\nSUMMARY:T\r\n')
  })

  it('shows a project at a glance, and its risks in a matrix', async () => {
    const glance = await ask('/kctr/projects/p/analytics?day=2026-03-08')
    expect(glance).to.deep.equal({
      project: 'p',
      tasks: { all: 4, todo: 1, doing: 0, done: 2, cancelled: 1, overdue: 1 },
      progress: 0.667,
      hours: { estimated: 22, actual: 0, left: 4 },
      risks: { open: 1, highest_score: 0.4 },
    })
    expect(await ask('/kctr/risk-matrix?project=p')).to.deep.equal([
      { probability: 3, impact: 4, risks: 1, highest_score: 0.4, impact_scale: 1 },
    ])
  })

  it('says what was spent on a project, then and now, without what was taken back', async () => {
    const eur = (amount: string, places = 2) => ({ currency: 'EUR', places, amount })
    const budgets = [eur('50000'), { currency: 'JPY', places: 0, amount: '900' }]
    const now = { project: 'p', budgets, spent: [eur('2500', 3)], received: [eur('700')] }
    expect(await ask('/kctr/projects/p/budget')).to.deep.equal(now)
    const then = (hour: number) => ask(`/kctr/projects/p/budget?as_of=${spentAt[hour]}`)
    expect(await then(1)).to.deep.include({ budgets, spent: [eur('1000')], received: [] })
    expect(await then(2)).to.deep.include({ spent: [eur('1000')], received: [eur('700')] })
    expect(await then(3)).to.deep.include({ spent: [eur('12500', 3)] })
  })

  it('is of the day of its time in UTC, or of the last event by its position', async () => {
    const overdue = async (query: string) => (await ask(`/kctr/workload?assignee=ann&${query}`)) as unknown
    const [late, soon] = [1, 0].map(overdue => [
      { assignee: 'ann', todo: 2, doing: 0, hours_left: 12, overdue, without_estimate: 0 },
    ])
    expect(dayOf({ asked: '2026-03-03T01:00:00+02:00', position: 1n })).to.equal('2026-03-02')
    expect(await overdue(`as_of=${positions.get(at('02', 13))}`)).to.deep.equal(soon)
    expect(await overdue(`as_of=${positions.get(at('02', 13))}&day=2026-03-04`)).to.deep.equal(late)
  })

  it('asks for the permissions of all that it shows', () => {
    const needs = (id: string) => {
      const { permission, alsoNeeds } = world.routes.find(({ operationId }) => operationId === id)!
      return [permission, ...alsoNeeds!].toSorted()
    }
    expect(needs('getCenterCalendar')).to.deep.equal([
      'center.projects.read',
      'center.sprints.read',
      'center.tasks.read',
    ])
    expect(needs('getProjectAnalytics')).to.deep.equal([
      'center.projects.read',
      'center.risks.read',
      'center.tasks.read',
    ])
    const ofWallet = ['wallet.accounts.read', 'wallet.budgets.read', 'wallet.entries.read']
    expect(needs('getProjectBudget')).to.deep.equal(['center.projects.read', ...ofWallet])
  })

  it('gives calendars and tables as files', async () => {
    const fileOf = async (path: string) => {
      const { file } = (await world.call(ORG, path)) as unknown as { file: { content: string } }
      return file.content
    }
    const calendar = await fileOf('/kctr/calendar')
    expect(calendar).to.match(/^BEGIN:VCALENDAR\r\nVERSION:2.0\r\n/)
    expect(calendar.match(/BEGIN:VEVENT/g)).to.have.length(1)
    const rows = Array.from({ length: 20_001 }, (_, n) => [
      'task',
      `t${n}`,
      `Ü${'x'.repeat(80)}`,
      '2026-03-03',
      at('01'),
      null,
    ])
    const write = (from: readonly (readonly unknown[])[]) =>
      'file' in calendarQuestion && calendarQuestion.file(from, {} as never)
    expect(() => write(rows)).to.throw('20000')
    const lines = ((await write(rows.slice(0, 1))) as { content: string }).content.split('\r\n')
    expect(Math.max(...lines.map(line => Buffer.byteLength(line)))).to.be.at.most(75)
    expect(lines.join('\r\n').replaceAll('\r\n ', '')).to.include(`SUMMARY:Ü${'x'.repeat(80)}\r\n`)
    expect(calendar).to.include('DTSTART;VALUE=DATE:20260303\r\nSUMMARY:b\r\n')
    const table = csvLines(await fileOf('/kctr/task-table?assignee=ann')).lines.map(({ fields }) => fields)
    expect(table.map(([id, name]) => [id, name])).to.deep.equal([
      ['id', 'name'],
      ['a', 'a'],
      ['b', 'b'],
    ])
  })
})
