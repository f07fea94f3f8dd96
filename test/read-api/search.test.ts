import { expect } from 'chai'
import { guards, memories } from '../../infra/catalogue.ts'
import { memoryIndex } from '../../projections/memory/index.ts'
import { searchReadable } from '../../read-api/memory/search.ts'
import { History, makeWorld, type World } from './support.ts'

const PRIVATE = 500

describe('search of memories', () => {
  let world: World
  const history = new History()
    .add('north', 'item', 'i1', 'ItemAdded', {
      type: 'app',
      status: 'x',
      name: 'Fällige Rechnung',
      metadata: {},
      owner: 'u',
    })
    .add('north', 'task', 't1', 'TaskCreated', { name: 'Rechnung schreiben', status: 'open' })
    .add('south', 'task', 't9', 'TaskCreated', { name: 'Rechnung von south', status: 'open' })
  before(async () => {
    world = await makeWorld()
    await world.write(history)
  })
  after(() => world.close())

  it('finds words in what the org remembers, and nothing of another org', async () => {
    const { data, meta, pagination } = await world.call('north', '/kse/memories/search?q=rechnung')
    expect((data as { subject: string }[]).map(({ subject }) => subject)).to.have.members(['i1', 't1'])
    expect(meta).to.deep.equal({ position: String(history.position) })
    expect(pagination).to.deep.equal({ limit: 10, has_more: false })
    const one = await world.call('north', '/kse/memories/search?q=fallige&kind=item&search_type=text')
    expect((one.data as object[])[0]).to.include({
      kind: 'item',
      subject: 'i1',
      title: 'Fällige Rechnung',
      position: '107',
    })
    const page = await world.call('north', '/kse/memories/search?q=rechnung&limit=1')
    expect(page.pagination).to.include({ limit: 1, has_more: true })
    expect(page.data).to.have.length(1)
  })

  it('says which words of the query were found, and how', async () => {
    const { data } = await world.call('north', '/kse/memories/search?q=schrieben%20rech')
    expect(
      (data as { subject: string; matched: object[] }[]).map(({ subject, matched }) => [subject, matched]),
    ).to.deep.equal([
      [
        't1',
        [
          { word: 'schrieben', as: 'near' },
          { word: 'rech', as: 'prefix' },
        ],
      ],
      ['i1', [{ word: 'rech', as: 'prefix' }]],
    ])
  })

  it('searches by legs, each of which says what it gave', async () => {
    type Hit = { subject: string; score: number; legs: Record<string, { part: number }>; path: string[] }
    const { data, meta } = await world.call('north', '/kse/memories/search?q=rechnung%20schreiben&search_type=hybrid')
    const hits = data as Hit[]
    expect(hits.map(({ subject }) => subject)).to.deep.equal(['t1', 'i1'])
    for (const { score, legs } of hits) {
      expect(Object.values(legs).reduce((sum, { part }) => sum + part, 0)).to.be.closeTo(score, 1e-9)
    }
    const { legs } = meta as { legs: Record<string, { state: string; weight: number }> }
    expect(Object.keys(legs)).to.deep.equal(['lexical', 'neural', 'conceptual', 'knowledge'])
    expect(legs.lexical!.state).to.equal('answered')
    expect(Object.values(legs).reduce((sum, { weight }) => sum + weight, 0)).to.be.closeTo(1, 1e-9)
    for (const type of ['lexical', 'neural', 'conceptual', 'knowledge']) {
      const one = await world.call('north', `/kse/memories/search?q=rechnung&search_type=${type}`)
      for (const { subject } of one.data as Hit[]) expect(subject).to.be.oneOf(['i1', 't1'])
    }
    const bad = await world.call('north', '/kse/memories/search?q=rechnung&search_type=magic')
    expect(bad).to.include({ code: 'invalid_parameter' })
  })

  it('pages a search by legs, by a cursor that holds for its type alone', async () => {
    const path = '/kse/memories/search?q=rechnung&limit=1'
    const first = await world.call('north', `${path}&search_type=hybrid`)
    const next = (first.pagination as { next: string }).next
    const second = await world.call('north', `${path}&search_type=hybrid&after=${next}`)
    const [one, two] = [first, second].map(({ data }) => (data as { subject: string }[]).map(({ subject }) => subject))
    expect([...one!, ...two!]).to.have.members(['i1', 't1'])
    expect(await world.call('north', `${path}&after=${next}`)).to.include({ code: 'invalid_parameter' })
  })

  it('pages by a cursor that holds for its search alone', async () => {
    const first = await world.call('north', '/kse/memories/search?q=rechnung&limit=1')
    const next = (first.pagination as { next: string }).next
    const second = await world.call('north', `/kse/memories/search?q=rechnung&limit=1&after=${next}`)
    const [one, two] = [first, second].map(({ data }) => (data as { subject: string }[]).map(({ subject }) => subject))
    expect([...one!, ...two!]).to.have.members(['i1', 't1'])
    expect(second.pagination).to.deep.equal({ limit: 1, has_more: false })
    for (const url of [`q=rechnungen&after=${next}`, `q=rechnung&kind=task&after=${next}`, 'q=rechnung&after=x']) {
      expect(await world.call('north', `/kse/memories/search?${url}`)).to.include({ code: 'invalid_parameter' })
    }
  })

  it('ranks a few times, however many hits are private, and no more once the caller is gone', async () => {
    const own = new History()
    const item = { type: 'app', status: 'x', metadata: {}, owner: 'mira' }
    for (let n = 0; n < PRIVATE; n += 1) {
      own.add('north', 'item', `p${n}`, 'ItemAdded', { ...item, name: 'Gehalt', privacy: 'private' })
    }
    own.add('north', 'item', 'open', 'ItemAdded', {
      ...item,
      name: 'Gehalt und vieles mehr, was in keinem anderen steht',
    })
    await world.write(own)
    const index = memoryIndex({ pool: world.pool as never, memories, unseal: async () => [] })
    const limits: number[] = []
    const deps = {
      pool: world.pool as never,
      guards,
      search: (async (org, words, options) => {
        limits.push(options.limit)
        return index.search(org, words, options)
      }) as typeof index.search,
    }
    const principal = { subject: 'eve', org: 'north', roles: [], permissions: ['memory.memories.read'] }
    const gone = new AbortController()
    const ask = () => searchReadable(deps, { principal, signal: gone.signal }, 'gehalt', { limit: 3, kinds: ['item'] })
    expect((await ask()).hits.map(({ subject }) => subject)).to.deep.equal(['open'])
    expect(limits).to.deep.equal([3, 6, 12, 24, 48, 96, 192, 384])
    gone.abort()
    expect(await ask().catch((error: Error) => error.name)).to.equal('AbortError')
    expect(limits).to.have.length(8)
    await world.write(history)
  })

  it('waits for a position like every read', async () => {
    const late = await world.call('north', `/kse/memories/search?q=neues&at_least=${history.position + 7n}&wait=0`)
    expect(late).to.include({ status: 503, code: 'not_yet_visible' })
    const waiting = world.call('north', `/kse/memories/search?q=neues&at_least=${history.position + 7n}&wait=5000`)
    await world.write(history.add('north', 'task', 't2', 'TaskCreated', { name: 'Etwas Neues', status: 'open' }))
    expect((await waiting).data).to.have.length(1)
  })
})
