import { expect } from 'chai'
import { History, makeWorld, type World } from './support.ts'

const ORG = 'north'
const at = (day: string, hour = 12) => `2026-03-${day}T${String(hour).padStart(2, '0')}:00:00.000Z`

/** What is to be done these days, and how far projects are, written out for a small history. */
describe('read API: operations and tactics', () => {
  let world: World
  const history = new History()
  let positions: ReadonlyMap<string, bigint>
  const add = (category: string, id: string, type: string, data: object, when: string) =>
    history.add(ORG, category, id, type, data, when)
  const task = (id: string, data: object, when: string) =>
    add('task', id, 'TaskCreated', { name: id, status: 'open', ...data }, when)
  const moved = (id: string, to: string, when: string) =>
    add('task', id, 'TaskStatusChanged', { from: 'open', to }, when)

  before(async () => {
    add('project', 'p', 'ProjectAdded', { name: 'P', status: 'active', center: 'c', owner: 'ann' }, at('01'))
    add('project', 'q', 'ProjectAdded', { name: 'Q', status: 'active', owner: 'ann' }, at('01'))
    add(
      'sprint',
      's',
      'SprintPlanned',
      { name: 'S', project: 'p', start_date: '2026-03-03', end_date: '2026-03-06' },
      at('01'),
    )
    task('a', { project: 'p', assignee: 'ann', estimatedHours: 8 }, at('01'))
    task('b', { project: 'p', assignee: 'ann', estimatedHours: 4, dueOn: '2026-03-03' }, at('01'))
    task('c', { project: 'p', assignee: 'bob', estimatedHours: 16, dueOn: '2026-03-11' }, at('02'))
    task('d', { project: 'q', dueOn: '2026-03-12' }, at('02'))
    const link = { type: 'finish_start', lag: 0 }
    add('taskgraph', 'tasks', 'DependencyAdded', { task: 'c', dependency: 'a', ...link }, at('02', 13))
    add('taskgraph', 'tasks', 'DependencyAdded', { task: 'b', dependency: 'c', ...link }, at('02', 13))
    add('sprint', 's', 'SprintStarted', {}, at('03'))
    moved('a', 'doing', at('03', 13))
    moved('a', 'done', at('05'))
    moved('d', 'done', at('05', 13))
    add('sprint', 's', 'SprintCompleted', {}, at('06'))
    add(
      'risk',
      'r',
      'RiskAdded',
      { title: 'R', probability: 0.5, impact: 0.8, status: 'open', project: 'p', owner: 'ann' },
      at('07'),
    )
    positions = new Map(history.events.map(({ metadata, position }) => [metadata.at, position]))
    world = await makeWorld()
    await world.write(history)
  })
  after(() => world.close())

  async function ask(path: string) {
    const { status, data, message } = await world.call(ORG, path)
    expect(status, `${path} ${message}`).to.equal(200)
    return data as unknown as Record<string, never>
  }
  const b = { task: 'b', name: 'b', project: 'p', assignee: 'ann', stage: 'todo', due_on: '2026-03-03' }

  it('count what is in work, due, and waits for others, then and now', async () => {
    expect(await ask('/kctr/operations?day=2026-03-04&limit=1')).to.deep.equal({
      day: '2026-03-04',
      ...{ open: 2, doing: 0, overdue: 1, due_today: 0, due_soon: 1, unassigned: 0, waiting: 1 },
      tasks: [b],
    })
    const then = await ask(`/kctr/operations?as_of=${positions.get(at('03', 13))}`)
    expect(then).to.deep.include({ open: 4, doing: 1, overdue: 0, due_today: 1, unassigned: 1, waiting: 2, tasks: [b] })
    expect(await ask('/kctr/operations?assignee=bob&day=2026-03-11')).to.deep.include({
      open: 1,
      due_today: 1,
      waiting: 0,
    })
  })

  it('say how far each project is that has something left to do', async () => {
    const p = { project: 'p', name: 'P', status: 'active' }
    expect(await ask('/kctr/tactics?day=2026-03-08')).to.deep.equal([
      {
        ...p,
        tasks: { todo: 2, doing: 0, done: 1, overdue: 1 },
        hours_left: 20,
        risks: { open: 1, highest_score: 0.4 },
      },
    ])
    const then = (await ask(`/kctr/tactics?as_of=${positions.get(at('03', 13))}`)) as unknown as object[]
    expect(then[0]).to.deep.equal({
      ...p,
      tasks: { todo: 2, doing: 1, done: 0, overdue: 0 },
      hours_left: 28,
      sprint: { sprint: 's', name: 'S', ends_on: '2026-03-06' },
      risks: { open: 0 },
    })
    expect(then).to.have.length(2)
    expect(await ask('/kctr/tactics?center=c')).to.have.length(1)
    expect(await ask('/kctr/tactics?team=nobody')).to.deep.equal([])
  })
})
