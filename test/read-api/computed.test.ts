import { expect } from 'chai'
import { allows } from '../../infra/auth/permissions.ts'
import { History, makeWorld, type World } from './support.ts'

const stored = (name: string) => ({ name, type: 'text/plain', size: 1n, sha256: 'a'.repeat(64), owner: 'mira' })

describe('read API: columns made of other things', () => {
  let world: World
  let early: bigint
  let moved: bigint
  let gone: bigint
  before(async () => {
    const history = new History()
      .add('acme', 'item', 'i1', 'ItemAdded', { type: 'app', status: 'x', name: 'n', metadata: {}, owner: 'mira' })
      .add('acme', 'workspace', 'w1', 'WorkspaceAdded', {
        name: 'Shop',
        item: 'i1',
        configuration: {},
        plugins: [],
        owner: 'mira',
      })
      .add('acme', 'file', 'f1', 'FileAdded', { item: 'i1', ...stored('one.txt') })
      .add('acme', 'file', 'f2', 'FileAdded', { item: 'i1', ...stored('two.txt') })
      .add('acme', 'file', 'f3', 'FileAdded', { item: 'i2', ...stored('other.txt') })
      .add('acme', 'task', 't1', 'TaskCreated', { name: 'Do', status: 'open' })
      .add('acme', 'backlog', 'b1', 'BacklogOpened', { name: 'Next' })
      .add('acme', 'backlog', 'b1', 'BacklogItemAdded', { task: 't1', itemType: 'task', rank: 'a' })
      .add('acme', 'metric', 'm1', 'MetricAdded', {
        name: 'Visits',
        unit: 'visits',
        direction: 'up',
        owner: 'mira',
      })
    for (const [id, metric, value] of [
      ['e1', 'm1', 5],
      ['e2', 'm1', 7],
      ['e3', 'm2', 9],
    ] as const) {
      const data = { metric, value, measured_at: `2026-01-0${value}T00:00:00.000Z`, owner: 'mira' }
      history.add('acme', 'measurement', id, 'MeasurementAdded', data)
    }
    early = history.position
    history.add('acme', 'measurement', 'e2', 'MeasurementChanged', { metric: 'm2' })
    moved = history.position
    history.add('acme', 'measurement', 'e1', 'MeasurementRemoved', {})
    gone = history.position
    history.add('acme', 'file', 'f1', 'FileRemoved', {}).add('acme', 'file', 'f2', 'FileChanged', { name: 'three.txt' })
    world = await makeWorld({ allows })
    await world.write(history)
  })
  after(() => world.close())

  const FILE = ['briefcase.files.read', 'center.tasks.read']
  const OWN = ['briefcase.workspaces.read', 'center.backlogs.read']
  async function row(path: string, permissions: string[]) {
    const { status, data, message } = await world.call('acme', path, {}, { permissions })
    expect(status, message).to.equal(200)
    return (Array.isArray(data) ? data[0] : data) as Record<string, unknown>
  }

  it('are as they stood at a position', async () => {
    const filesAt = async (query: string) => (await row(`/kbfc/workspaces${query}`, ['*'])).files
    expect(await filesAt('')).to.deep.equal([{ id: 'f2', name: 'three.txt' }])
    expect(await filesAt(`?as_of=${early}`)).to.deep.equal([
      { id: 'f1', name: 'one.txt' },
      { id: 'f2', name: 'two.txt' },
    ])
    expect(await filesAt(`?as_of=${gone + 14n}`)).to.deep.equal([{ id: 'f2', name: 'three.txt' }])
  })

  it('are of the measurements that a metric had then, wherever these went', async () => {
    const valueAt = async (query: string) => (await row(`/kctr/metrics${query}`, ['*'])).value
    expect(await valueAt(`?as_of=${early}`)).to.equal(7)
    expect(await valueAt(`?as_of=${moved}`)).to.equal(5)
    expect(await valueAt(`?as_of=${gone}`)).to.equal(undefined)
    expect(await valueAt('')).to.equal(undefined)
  })

  for (const [path, column] of [
    ['/kbfc/workspaces', 'files'],
    ['/kbfc/workspaces/w1', 'files'],
    ['/kctr/backlogs/b1/items', 'status'],
    ['/kctr/backlogs/b1/items/a/t1', 'status'],
  ] as const) {
    it(`are for those who may read these: ${column} of ${path}`, async () => {
      for (const query of ['', `?as_of=${early}`]) {
        const all = await row(path + query, [...OWN, ...FILE])
        expect(all).to.have.property(column)
        const { [column]: _, ...rest } = all
        expect(await row(path + query, OWN)).to.deep.equal(rest)
      }
    })
  }
})
