import { expect } from 'chai'
import { resources, services } from '../../infra/catalogue.ts'
import { indexesOf, isList } from '../../projections/rows/indexes.ts'
import { sealedColumnsOf } from '../../read-api/rows.ts'
import { unitOf } from '../../read-api/summary.ts'
import { type Answer, everyPage, History, makeWorld, type World } from './support.ts'

const SEALED = { key: '11111111-1111-4111-8111-111111111111', nonce: 'n'.repeat(16) }

/** What an org without rows is answered by lists and by summaries. */
const NOTHING = [
  '[]',
  '[{"group":{},"count":0,"sums":{}}]',
  '{"totals":[],"accounts":[]}',
  '{"totals":[],"assets":[],"liabilities":[],"equity":[]}',
  '{"totals":[],"income":[],"expenses":[]}',
  '{"totals":[],"rows":[]}',
]

/** Reads of what an organization has by itself: they answer also where that is nothing. */
const OF_NO_LIST = [
  '/kse/memory/insights',
  '/kmg/compliance/controls',
  '/kmg/compliance/controls/:control',
  '/kmg/compliance/controls/:control/pack',
  '/kmg/persons/:subject/data',
  '/kmg/persons/:subject/page',
  '/khub/inbox',
  '/kwlt/net-worth',
  '/kwlt/books',
  '/kbfc/catalog',
  '/kbfc/dashboard',
  '/kbfc/value',
]
const OF_CENTER = [
  '/kctr/flow',
  '/kctr/operations',
  '/kctr/forecast',
  '/kctr/workflows',
  '/kctr/calendar',
  '/kctr/task-table',
]

function twoOrgs(): History {
  const history = new History()
  for (const org of ['north', 'south']) {
    for (const id of ['w1', 'w2']) {
      const holder = { ...SEALED, text: `${id === 'w1' ? 'kept' : 'gone'}${'x'.repeat(30)}` }
      history
        .add(org, 'wallet', id, 'WalletOpened', { owner: `owner-${id}`, holder, kind: 'personal' })
        .add(org, 'wallet', id, 'AccountOpened', {
          account: 'Bär:a/b c',
          currency: 'EUR',
          places: 2,
          overdraft: 'allowed',
        })
        .add(org, 'wallet', id, 'EntryPosted', {
          entry: `entry-${org}-${id}`,
          kind: 'debit',
          postings: [
            { account: 'Bär:a/b c', currency: 'EUR', amount: -(10n ** 37n) },
            { account: 'external:rent', currency: 'EUR', amount: 10n ** 37n },
          ],
          effectiveOn: '2026-01-01',
          description: 'rent',
        })
    }
    history
      .add(org, 'item', 'i1', 'ItemAdded', {
        type: 'app',
        status: 'draft',
        name: 'App',
        metadata: { a: 1 },
        owner: 'u',
      })
      .add(org, 'item', 'i2', 'ItemAdded', { type: 'book', status: 'live', name: 'Book', metadata: {}, owner: 'u' })
      .add(org, 'task', 't1', 'TaskCreated', { name: 'Do', status: 'open', assignee: 'ann', team: 'red' })
      .add(org, 'task', 't2', 'TaskCreated', { name: 'Be', status: 'open', team: 'red' })
  }
  return history.add('north', 'task', 'only-north', 'TaskCreated', { name: 'Secret', status: 'open' })
}

/** What special reads ask for, by the end of their path. */
const QUERIES = [
  [/\/benefits\/:id\/statement$/, ''],
  [/\/(statement|end-of-day|net-worth)$/, '?currency=EUR'],
  [/\/koff\/(occurrences|free-busy|conflicts|schedule)$/, '?from=2026-01-01T00:00:00.000Z&to=2026-02-01T00:00:00.000Z'],
  [/\/exchange$/, '?from=EUR&to=USD'],
  [/\/books$/, '?format=csv'],
  [/\/book\/diff$/, '?from=1'],
  [/\/consistency$/, '?old=1'],
  [/\/causes(\.csv)?$/, '?of=1'],
  [/\/differences$/, '?of=/kctr/tasks/only-north&from=0'],
] as const

describe('resources of the read API', () => {
  const history = twoOrgs()
  let world: World
  before(async () => {
    world = await makeWorld()
    await world.write(history)
  })
  after(() => world.close())

  it('answers a thing by its key, in wire form, with its revision and its position', async () => {
    const path = `/kwlt/wallets/w1/accounts/${encodeURIComponent('Bär:a/b c')}/EUR`
    const { data, headers, meta } = await world.call('north', path)
    expect(data).to.include({ wallet: 'w1', balance: String(-(10n ** 37n)), postings: '1', places: 2 })
    expect(headers).to.deep.equal({ 'Kogi-Position': String(history.position), ETag: '"2"' })
    expect(meta).to.deep.equal({ position: String(history.position) })
  })

  it('opens personal data, and says where its key is gone', async () => {
    const kept = await world.call('north', '/kwlt/wallets/w1')
    expect(kept.data)
      .to.include({ holder: `open kept${'x'.repeat(30)}` })
      .and.not.have.property('erased')
    const all = await world.call('north', '/kwlt/wallets')
    expect((all.data as object[])[1]).to.include({ holder: null, erased: true })
  })

  it('filters by indexed columns, alone and together, and counts on request', async () => {
    const names = async (query: string) =>
      ((await world.call('north', `/kctr/tasks?${query}`)).data as { id: string }[]).map(({ id }) => id)
    expect(await names('team=red')).to.deep.equal(['t1', 't2'])
    expect(await names('team=red&assignee=ann')).to.deep.equal(['t1'])
    expect(await names('team=blue')).to.deep.equal([])
    expect((await world.call('north', '/kctr/tasks?limit=1&total=true')).pagination).to.include({
      limit: 1,
      has_more: true,
      total: 3,
    })
    expect((await world.call('north', '/kctr/tasks?limit=2&offset=2&total=true')).pagination).to.deep.equal({
      limit: 2,
      has_more: false,
      offset: 2,
      total: 3,
    })
  })

  it('serves a filter by an index alone', async () => {
    for (const filter of ['id=w1', 'id=w1&category=wallet']) {
      expect((await world.call('north', `/kmg/audit-log?${filter}`)).data, filter).to.have.length(3)
    }
    expect((await world.call('north', '/kmg/audit-log?id=w1&category=task')).data).to.deep.equal([])
    for (const { projection, parents, filters } of resources) {
      const fixed = ['org', ...Object.values(parents)].sort().join()
      const served = [projection.key as string[], ...indexesOf(projection)]
      for (const filter of filters.filter(column => !isList(projection, column))) {
        const before = served
          .filter(index => index.includes(filter))
          .map(index => index.slice(0, index.indexOf(filter)))
        expect(before.map(columns => columns.toSorted().join())).to.include(fixed, `${projection.name}.${filter}`)
      }
    }
  })

  it('serves every order by an index alone, ties included', () => {
    for (const { projection, parents, filters, order, many } of resources) {
      const served = [projection.key as string[], ...indexesOf(projection)].map(columns => `${columns.join()},`)
      for (const first of [order[0]!, ...filters.filter(column => !isList(projection, column))]) {
        const wanted = ['org', ...Object.values(parents), first, ...order.filter(column => column !== first)]
        expect(
          served.some(index => index.startsWith(`${wanted.join()},`)),
          `${many} by ${first}`,
        ).to.equal(true)
      }
    }
  })

  it('groups, adds up and filters by no personal column, and gives every sum of money its currency', () => {
    for (const resource of resources) {
      const { projection, filters, groups, sums } = resource
      const personal = sealedColumnsOf(projection)
      for (const column of [...filters, ...groups, ...sums]) {
        expect(projection.row.shape, projection.name).to.have.property(column)
        expect(personal, `${projection.name}.${column}`).not.to.include(column)
      }
      for (const sum of sums) unitOf(resource, sum)
    }
  })

  it('answers 404 for a list that belongs to nothing, not an empty list', async () => {
    for (const list of ['accounts', 'accounts/summary', 'entries', 'entries/summary']) {
      const answer = await world.call('north', `/kwlt/wallets/nowhere/${list}`)
      expect(answer, list).to.include({ status: 404, code: 'not_found', message: 'There is no wallet nowhere.' })
    }
    expect((await world.call('north', '/kwlt/wallets/w1/entries')).data).to.have.length(1)
  })

  it('never shows a row of another org, over every route', async () => {
    const of = {
      account: encodeURIComponent('Bär:a/b c'),
      currency: 'EUR',
      payment: '1',
      subject: 'somebody',
      control: 'soc2-cc6.1',
      side: 'buyer',
    }
    const things: Record<string, string> = { ...of, on: '2026-01-01', kind: 'user', position: '1' }
    for (const { path, operationId } of world.routes.filter(({ path }) => !path.includes('search'))) {
      const ids = operationId.includes('Entry') ? ['entry-north-w1'] : ['w1', 'i1', 't1', 'only-north']
      for (const id of ids) {
        const filled = path.replaceAll(/:(\w+)/g, (_, name: string) => things[name] ?? id)
        const query = QUERIES.find(([end]) => end.test(path))?.[1] ?? ''
        const { data, file, status } = await world.call('south', `${filled}${query}`)
        expect(JSON.stringify([data, file?.content]), filled).to.not.match(/north/)
        expect(status, filled).to.be.oneOf([200, 404])
        expect(await world.call('nobody', `${filled}${query}`), filled).to.satisfy(
          ({ file, ...answer }: Answer) =>
            answer.status === 404 ||
            (path.endsWith('.csv') && String(file!.content).split('\r\n').length === 2) ||
            [...OF_NO_LIST, ...OF_CENTER].includes(path) ||
            NOTHING.includes(JSON.stringify(answer.data)),
        )
      }
    }
    expect((await world.call('south', '/kctr/tasks/only-north')).status).to.equal(404)
    expect((await world.call('south', '/kwlt/entries/entry-north-w1')).status).to.equal(404)
  })

  it('lists every row of every list once, in order, whatever the page size', async () => {
    for (const { path, order, many } of resources.filter(({ parents }) => Object.keys(parents).length === 0)) {
      const whole = await everyPage(world, 'north', `${path}?limit=500`)
      for (const limit of [1, 2]) {
        expect(await everyPage(world, 'north', `${path}?limit=${limit}`), many).to.deep.equal(whole)
      }
      const keys = new Set(whole.map(row => order.map(column => row[column as string]).join('\0')))
      expect(keys.size, many).to.equal(whole.length)
    }
  })

  it('names a permission for each route whose service is known to the seeds', () => {
    const codes = new Set(services.map(({ code }) => code))
    for (const { path, permission, tag, summary } of world.routes) {
      expect(codes.has(path.split('/')[1]!), path).to.equal(true)
      expect(permission, path).to.match(/^[a-z]+\.[a-z-]+\.read$|^signed in$|^audit\.disclosures\.write$/)
      expect(tag).to.equal(path.split('/')[1])
      expect(summary, path).to.match(/\.$/)
    }
  })
})
