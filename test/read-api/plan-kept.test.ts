/** A plan that is asked for again is made of what was read before and of what events changed since. */
import { setTimeout } from 'node:timers/promises'
import { expect } from 'chai'
import { randomOf } from '../../domain/center/plan/random.ts'
import { tasks } from '../../projections/center/tasks.ts'
import { tableOf } from '../../projections/rows/tables.ts'
import { Networks, tasksOf } from '../../read-api/center/networks.ts'
import { History, makeWorld, type World } from './support.ts'

const LONG = process.env.KOGI_LONG === '1'
const STEPS = LONG ? 600 : 60
const SEED = 11
const ORG = 'acme'
const TASKS = 12

type Query = { readonly text: string }

describe('read API: a plan that is asked for again', () => {
  let world: World
  let whole = 0
  before(async () => {
    const watched = {
      query(query: Query) {
        if (query.text.includes('with recursive seed')) whole += 1
        return world.pool.query(query as never)
      },
    }
    world = await makeWorld({ pool: watched as never })
  })
  after(() => world.close())

  async function plan(project: string, more = '') {
    const answer = await world.call(ORG, `/kctr/projects/${project}/plan?from=2026-01-05${more}`)
    expect(answer.status, JSON.stringify(answer)).to.equal(200)
    return JSON.parse(JSON.stringify(answer.data))
  }

  it('is the plan of that moment, whatever happened to tasks and dependencies', async () => {
    const random = randomOf(SEED)
    const below = (n: number) => Math.floor(random() * n)
    const history = new History()
    const there = new Set<string>()
    const links = new Set<string>()
    for (const id of ['p', 'q'])
      history.add(ORG, 'project', id, 'ProjectAdded', { name: id, status: 'open', owner: 'x' })
    const add = (id: string, type: string, data: object) => history.add(ORG, 'task', id, type, data)
    const linked = (type: string, task: string, dependency: string, more = {}) =>
      history.add(ORG, 'taskgraph', 'tasks', type, { task, dependency, ...more })
    /** One event that may follow what was there. */
    function step(): void {
      const n = below(TASKS)
      const id = `task-${n}`
      if (!there.has(id)) {
        there.add(id)
        const project = below(3) === 0 ? {} : { project: below(4) === 0 ? 'q' : 'p' }
        return void add(id, 'TaskCreated', { name: id, status: 'open', estimatedHours: 1 + below(9), ...project })
      }
      const dependency = `task-${below(n)}`
      const link = `${id} ${dependency}`
      const data = { type: below(2) ? 'finish_start' : 'start_start', lag: below(3) }
      const kind = below(11)
      if (kind < 4) return void add(id, 'TaskChanged', { estimatedHours: 1 + below(9) })
      if (kind === 4) return void add(id, 'TaskChanged', { name: `${id} ${below(9)}` })
      if (kind === 5) return void add(id, 'TaskChanged', { project: below(2) ? 'p' : null })
      if (kind === 6) return void add(id, 'TaskStatusChanged', { from: 'open', to: below(2) ? 'cancelled' : 'open' })
      if (kind === 7 && there.delete(id)) return void add(id, 'TaskRemoved', {})
      if (n === 0) return
      if (links.has(link)) {
        if (below(2)) return void linked('DependencyChanged', id, dependency, data)
        links.delete(link)
        return void linked('DependencyRemoved', id, dependency)
      }
      links.add(link)
      linked('DependencyAdded', id, dependency, data)
    }
    for (let n = 0; n < STEPS; n += 1) {
      for (let more = below(3); more >= 0; more -= 1) step()
      await world.write(history)
      for (const project of ['p', 'q']) {
        const [now, then] = [await plan(project), await plan(project, `&as_of=${history.position}`)]
        expect(now, `${project} after ${n} steps`).to.deep.equal(then)
      }
    }
    // Half of all questions are about the past, which is always read as a whole.
    const anew = whole - 2 * STEPS
    expect(anew, 'plans that were read anew').to.be.within(STEPS / 6, 1.7 * STEPS)
  })

  it('is read anew once the tables are others, and when too much has happened', async () => {
    const history = new History()
    history.add(ORG, 'project', 'p', 'ProjectAdded', { name: 'p', status: 'open', owner: 'x' })
    const task = (id: string, name: string) =>
      history.add(ORG, 'task', id, 'TaskCreated', { name, status: 'open', project: 'p' })
    task('a', 'before')
    await world.write(history)
    await world.call(ORG, '/kctr/projects/p/plan')
    whole = 0
    expect((await plan('p')).tasks[0].name).to.equal('before')
    expect(whole).to.equal(0)
    await world.pool.query(`update ${tableOf(tasks)} set name = 'rebuilt'`)
    expect((await plan('p')).tasks[0].name).to.equal('before')
    await world.pool.query(`vacuum full ${tableOf(tasks)}`)
    expect((await plan('p')).tasks[0].name).to.equal('rebuilt')
    expect(whole).to.equal(1)
    for (let n = 0; n < 2_001; n += 1)
      history.add(ORG, 'note', `n${n}`, 'NoteAdded', { title: 'x', tags: [], owner: 'x' })
    await world.write(history)
    expect((await plan('p')).tasks[0].name).to.equal('before')
    expect(whole).to.equal(2)
  })

  it('is read anew ten minutes after it was read as a whole, however often it is asked for', async () => {
    let now = 1
    const networks = new Networks({ now: () => now })
    // The cache looks at its clock once a millisecond at most.
    const pass = async (minutes: number) => {
      now += minutes * 60_000
      await setTimeout(5)
    }
    const keep = (position: bigint) => networks.keep(ORG, 'p', { ...tasksOf([], []), position, tables: '' })
    const since = (position: bigint) => networks.since(ORG, 'p', { position, tables: '', since: [], changed: [] })
    keep(1n)
    await pass(6)
    expect(since(2n)).to.include({ position: 2n })
    expect(networks.knownTo(ORG, 'p')).to.equal(2n)
    await pass(6)
    expect(networks.knownTo(ORG, 'p')).to.equal(undefined)
    expect(since(3n)).to.equal(undefined)
    keep(4n)
    await pass(6)
    keep(5n)
    await pass(6)
    expect(networks.knownTo(ORG, 'p')).to.equal(5n)
  })
})
