import { expect } from 'chai'
import { History, makeWorld, type World } from './support.ts'

const item = { type: 'app', status: 'x', metadata: {}, owner: 'u' }

describe('insights of memories', () => {
  let world: World
  const history = new History()
    .add('north', 'item', 'i1', 'ItemAdded', { ...item, name: 'Harbour boat of Anna Meier' })
    .add('north', 'task', 't1', 'TaskCreated', { name: 'Paint the boat of Anna Meier', status: 'open' })
    .add('north', 'item', 'p1', 'ItemAdded', { ...item, name: 'Salary boat', privacy: 'private' })
    .add('south', 'task', 't9', 'TaskCreated', { name: 'Boat of south', status: 'open' })
  before(async () => {
    world = await makeWorld()
    await world.write(history)
  })
  after(() => world.close())

  type Insights = { total_memories: number; totals: object; dominant_concepts: { concept: string; memories: number }[] }
  const insights = async (query = '', permissions = ['*']) => {
    const answer = await world.call('north', `/kse/memory/insights${query}`, {}, { permissions })
    return { ...answer, data: answer.data as Insights & Record<string, unknown> }
  }

  it('are of the org at a position, by the names of the interface', async () => {
    const { data, meta } = await insights()
    expect(meta).to.deep.equal({ position: String(history.position) })
    expect(data.total_memories).to.equal(3)
    expect(data.totals).to.deep.include({ by_kind: { item: 2, task: 1 }, in_period: 3, in_period_before: 0 })
    expect(data.dominant_concepts.find(({ concept }) => concept === 'boat')).to.include({ memories: 3 })
    expect(data.knowledge_density).to.be.closeTo(2 / 3, 1e-3)
    expect(Object.keys(data)).to.include.members(['temporal_patterns', 'semantic_clusters', 'concept_drift', 'period'])
  })

  it('count nothing that the caller may not read', async () => {
    const { data } = await insights('', ['memory.*', 'briefcase.*', 'center.*'])
    expect(data.total_memories).to.equal(2)
    expect(data.dominant_concepts.map(({ concept }) => concept))
      .to.include('boat')
      .and.not.include('salary')
  })

  it('are of a period and of words that are asked for', async () => {
    const { data } = await insights('?days=1&until=1990-01-01T00:00:00.000Z&concept=boats')
    expect(data.totals).to.deep.include({ in_period: 0 })
    expect(data.concept_drift).to.have.nested.property('[0].memories', 3)
    for (const query of ['?days=0', '?days=x', '?until=yesterday']) {
      expect(await world.call('north', `/kse/memory/insights${query}`), query).to.include({ code: 'invalid_parameter' })
    }
  })
})
