import { expect } from 'chai'
import { aggregates } from '../../infra/catalogue.ts'
import { randomOf } from '../projections/history.ts'
import { type App, startApp } from '../support/app.ts'
import type { Answer, Client } from '../support/client.ts'
import { type Command, exchangeKinds, type Kind, own, record, recordOf } from '../support/kinds.ts'

const LONG = process.env.KOGI_LONG === '1'
const SEED = Number(process.env.KOGI_SEED ?? 1 + Math.floor(Math.random() * 1e9))
const STEPS = LONG ? 2_000 : 60

const money = { account: 'main', currency: 'EUR', amount: '1' }
const statement = { account: 'a', currency: 'EUR', statement: '3', to: '2026-03-31', opening: '0', closing: '0' }
const dollar = { day: '2015-12-31', base: 'EUR', quote: 'USD' }
const measured = { value: 1, measured_at: '2026-03-31T12:00:00.000Z' }
/** What is changed by PATCH alone. */
const patched = (path: string, field: string, more: object = {}): Kind => ({
  ...record(path, field, more),
  change: [(id, n) => ['PATCH', `${path}/${id}`, { [field]: `x ${n}` }]],
})
const KINDS: Readonly<Record<string, Kind>> = {
  ...exchangeKinds,
  wallet: {
    make: id => [
      ['POST', '/kwlt/wallets', { id, kind: 'business' }],
      ['POST', `/kwlt/wallets/${id}/accounts`, { account: 'main', currency: 'EUR', overdraft: 'allowed' }],
      ['POST', `/kwlt/wallets/${id}/accounts`, { account: 'idle', currency: 'EUR', overdraft: 'allowed' }],
    ],
    change: [
      id => ['POST', `/kwlt/wallets/${id}/credits`, money],
      id => ['POST', `/kwlt/wallets/${id}/debits`, money],
      (id, n) => ['POST', `/kwlt/wallets/${id}/accounts`, { account: `a${n}`, currency: 'EUR', overdraft: 'refused' }],
    ],
    reads: [
      id => `/kwlt/wallets/${id}`,
      id => `/kwlt/wallets/${id}/accounts`,
      id => `/kwlt/wallets/${id}/accounts?limit=1`,
      id => `/kwlt/wallets/${id}/entries`,
      id => `/kwlt/wallets/${id}/accounts/main/EUR`,
      id => `/kwlt/wallets/${id}/accounts/idle/EUR`,
      id => `/kwlt/wallets/${id}/accounts/main/statement?currency=EUR`,
      id => `/kwlt/wallets/${id}/accounts/idle/end-of-day?currency=EUR`,
    ],
    list: '/kwlt/accounts',
    isOf: id => row => row.wallet === id,
  },
  item: {
    make: id => [['POST', '/kbfc/items', { id, name: 'x', lifecycle: 'free' }]],
    change: [
      (id, n) => ['PATCH', `/kbfc/items/${id}`, { name: `x ${n}` }],
      (id, n) => ['PUT', `/kbfc/items/${id}/status`, { status: `s${n}` }],
    ],
    reads: [id => `/kbfc/items/${id}`],
    list: '/kbfc/items',
    isOf: own,
  },
  webhook: patched('/kapp/webhooks', 'description', { url: 'https://hooks.example/x', categories: ['note'] }),
  task: {
    make: id => [['POST', '/kctr/tasks', { id, name: 'x' }]],
    change: [
      (id, n) => ['PUT', `/kctr/tasks/${id}/status`, { status: `s${n}` }],
      (id, n) => ['PUT', `/kctr/tasks/${id}/assignee`, { assignee: `a${n}` }],
      (id, n) => ['POST', `/kctr/tasks/${id}/comments`, { text: `x ${n}` }],
      (id, n) => ['POST', `/kctr/tasks/${id}/time-entries`, { minutes: n + 1, worked_on: '2026-03-31' }],
    ],
    reads: [id => `/kctr/tasks/${id}`, id => `/kctr/tasks/${id}/comments`, id => `/kctr/tasks/${id}/time-entries`],
    list: '/kctr/tasks',
    isOf: own,
  },
  sprint: patched('/kctr/sprints', 'goal', { name: 'x', start_date: '2026-03-02', end_date: '2026-03-13' }),
  accountlink: {
    make: id => [
      ['POST', '/kwlt/wallets', { id: `${id} of it`, kind: 'business' }],
      ['POST', '/kwlt/accountlinks', { id, wallet: `${id} of it` }],
    ],
    change: [(id, n) => ['PATCH', `/kwlt/accountlinks/${id}`, { purpose: `x ${n}` }]],
    reads: [id => `/kwlt/accountlinks/${id}`],
    list: '/kwlt/accountlinks',
    isOf: own,
  },
  reconciliation: {
    make: id => [
      ['POST', '/kwlt/wallets', { id: `${id} reconciled`, kind: 'business' }],
      ['POST', '/kwlt/reconciliations', { ...statement, id, wallet: `${id} reconciled` }],
    ],
    change: [
      (id, n) => ['PUT', `/kwlt/reconciliations/${id}/lines`, { lines: [{ entry: `e${n}`, amount: '1' }] }],
      (id, n) => ['PUT', `/kwlt/reconciliations/${id}/differences`, { differences: [{ amount: `${n}`, reason: 'x' }] }],
    ],
    reads: [id => `/kwlt/reconciliations/${id}`, id => `/kwlt/reconciliations/${id}/lines`],
    list: '/kwlt/reconciliations',
    isOf: own,
  },
  ratetable: {
    make: id => [['POST', '/kwlt/rate-tables', { id }]],
    change: [
      (id, n) => ['PATCH', `/kwlt/rate-tables/${id}`, { title: `x ${n}` }],
      (id, n) => ['PUT', `/kwlt/rate-tables/${id}/rates`, { rates: [{ ...dollar, rate: `1.${n + 1}5` }] }],
    ],
    reads: [id => `/kwlt/rate-tables/${id}`, id => `/kwlt/rate-tables/${id}/rates`],
    list: '/kwlt/rate-tables',
    isOf: own,
  },
  investment: {
    make: id => [['POST', '/kwlt/investments', { id, wallet: 'same', kind: 'equity', asset: 'X', currency: 'EUR' }]],
    change: [
      id => ['POST', `/kwlt/investments/${id}/lots`, { quantity: '5', cost: '3' }],
      (id, n) => ['PATCH', `/kwlt/investments/${id}`, { title: `x ${n}` }],
    ],
    reads: [
      id => `/kwlt/investments/${id}`,
      id => `/kwlt/investments/${id}/lots`,
      id => `/kwlt/investments/${id}/gains`,
    ],
    list: '/kwlt/investments',
    isOf: own,
  },
  budget: {
    make: id => [['POST', '/kwlt/budgets', { id, title: 'x', currency: 'EUR', amount: '1', period: 'month' }]],
    change: [(id, n) => ['PATCH', `/kwlt/budgets/${id}`, { title: `x ${n}` }]],
    reads: [id => `/kwlt/budgets/${id}`],
    list: '/kwlt/budgets',
    isOf: own,
  },
  briefcase: record('/kbfc/briefcases', 'name'),
  itemtemplate: record('/kbfc/item-templates', 'title'),
  workspace: recordOf('/kbfc/workspaces', id => [['/kbfc/items', { name: 'x' }, { item: `${id} holder` }]]),
  binder: recordOf('/kbfc/binders', id => [
    ['/kbfc/items', { name: 'x' }, {}],
    ['/kbfc/workspaces', { name: 'x', item: `${id} holder` }, { workspace: `${id} holder` }],
  ]),
  library: recordOf('/kbfc/libraries', () => [], { library_type: 'x' }),
  libraryasset: recordOf(
    '/kbfc/library-assets',
    id => [['/kbfc/libraries', { name: 'x', library_type: 'x' }, { library: `${id} holder` }]],
    { asset_type: 'x', asset_path: 'x' },
  ),
  book: {
    make: id => [
      ['POST', '/kbfc/items', { id: `${id} of a book`, name: 'x' }],
      ['PUT', `/kbfc/items/${encodeURIComponent(`${id} of a book`)}/book`, { charter: 'x' }],
    ],
    change: [(id, n) => ['PUT', `/kbfc/items/${encodeURIComponent(`${id} of a book`)}/book`, { charter: `x ${n}` }]],
    reads: [
      id => `/kbfc/items/${encodeURIComponent(`${id} of a book`)}/book`,
      id => `/kbfc/items/${encodeURIComponent(`${id} of a book`)}/book/parts`,
    ],
    list: '/kbfc/item-books',
    isOf: id => row => row.id === `${id} of a book`,
  },
  project: record('/kctr/projects', 'name'),
  center: record('/kctr/centers', 'name'),
  page: record('/kctr/pages', 'title'),
  metric: record('/kctr/metrics', 'name'),
  listing: record('/kex/listings', 'title', { kind: 'offer', category: 'maps' }),
  risk: record('/kctr/risks', 'title', { probability: 0.5, impact: 1 }),
  strategicplan: record('/kctr/plans', 'name', { timeframe_start: '2026-01-01', timeframe_end: '2026-12-31' }),
  projectresource: record('/kctr/resources', 'resource_id', { project: 'project-1', resource_type: 'room' }),
  measurement: record('/kctr/measurements', 'note', { metric: 'metric-1', ...measured }),
  objective: record('/kctr/objectives', 'title', { plan: 'strategicplan-1' }),
  keyresult: record('/kctr/keyresults', 'title', { objective: 'objective-1', target: 5 }),
  backlog: patched('/kctr/backlogs', 'name'),
  projecttemplate: record('/kctr/templates', 'name'),
  note: record('/koff/notes', 'title'),
  searchprofile: record('/kse/search-profiles', 'name'),
  office: record('/koff/offices', 'name'),
  contactbook: record('/koff/contact-books', 'name'),
  contact: record('/koff/contacts', 'name', { book: 'contactbook-1' }),
  notebook: record('/koff/note-books', 'name'),
  officeworkspace: record('/koff/office-workspaces', 'name'),
  benefitplan: record('/koff/benefit-plans', 'name', { kind: 'health' }),
  benefit: record('/koff/benefits', 'member', { plan: 'benefitplan-1', starts_on: '2026-03-31', currency: 'EUR' }),
  calendar: record('/koff/calendars', 'name'),
  calendarevent: record('/koff/calendar-events', 'title', { calendar: 'calendar-1', starts: '2026-03-31' }),
  retentionrule: record('/kmg/retention-rules', 'basis', { category: 'note', days: 1 }),
}

describe(`one revision (KOGI_SEED=${SEED})`, function revisions() {
  this.timeout(LONG ? 600_000 : 60_000)
  const random = randomOf(SEED)
  const pick = <T>(values: readonly T[]) => values[random(values.length)]!
  const things: { readonly kind: Kind; readonly id: string }[] = []
  let app: App
  let client: Client
  let last = '0'
  before(async () => {
    app = await startApp()
    client = await app.clientOf('okonjo')
    for (const [name, kind] of Object.entries(KINDS)) {
      for (const id of [`${name}-1`, 'same']) {
        for (const command of kind.make(id)) expect((await send(command)).status).to.be.within(200, 201)
        things.push({ kind, id })
      }
    }
  })
  after(() => app?.close())

  async function send([method, path, body]: Command, tag?: string): Promise<Answer> {
    const headers: Record<string, string> = tag === undefined ? {} : { 'If-Match': tag }
    const answer = await client.call(method, `/api/v1${path}`, { body, headers })
    last = String(answer.headers['kogi-position'] ?? last)
    return answer
  }
  const read = (path: string, headers: Record<string, string> = {}, at = last) =>
    client.call('GET', `/api/v1${path}`, { headers: { 'Kogi-Min-Position': at, ...headers } })

  it('is tried on every kind of thing but those of which there is one, files, exports, erasures and processes', () => {
    const ofOrg = 'organization rolebook teamtree sharing keybook user secret configuration platform accessrequest'
    const moving = 'transfer standingorder paymentbatch delivery mail campaign import consent auction negotiation order'
    const other = new Set(
      `memory message readmark inbox taskgraph tree erasure export file ${ofOrg} ${moving}`.split(' '),
    )
    expect(Object.keys(KINDS)).to.have.members(aggregates.flatMap(({ name }) => (other.has(name) ? [] : name)))
  })

  it('is what every read answers and what every command compares', async () => {
    for (let n = 0; n < STEPS; n += 1) {
      const { kind, id } = pick(things)
      const next = () => pick(kind.change)(id, n)
      const path = pick(kind.reads)(id)
      const before = last
      const seen = await read(path)
      const tag = String(seen.headers.etag)
      const again = await read(path, { 'If-None-Match': `"x", W/${tag}` })
      // What can be spent changes with the day, and not with the revision: such an answer is always sent.
      const isDaily = JSON.stringify(seen.body.data).includes('"available":')
      expect(again.status, path).to.equal(isDaily ? 200 : 304)
      expect(again.body?.data, path).to.deep.equal(isDaily ? seen.body.data : undefined)
      expect((await read(path, { 'If-Match': `"x", ${tag}` })).status, path).to.equal(200)
      for (const other of [`W/${tag}`, '"x"']) {
        const { status, body } = await read(path, { 'If-Match': other })
        expect([status, body.error.code], path).to.deep.equal([412, 'precondition_failed'])
      }
      expect((await send(next(), `W/${tag}`)).status, path).to.equal(412)

      const command = next()
      expect((await send(command, tag)).status, `${path} ${tag} ${command}`).to.be.below(300)
      expect((await send(pick(kind.change)(id, n + STEPS), tag)).status, path).to.equal(412)
      const after = await read(path, { 'If-None-Match': tag })
      expect([after.status, after.headers.etag], path).to.deep.equal([200, `"${BigInt(tag.slice(1, -1)) + 1n}"`])
      const past = await read(`${path}${path.includes('?') ? '&' : '?'}as_of=${before}`)
      expect([past.status, past.headers.etag], path).to.deep.equal([200, tag])
    }
  })

  it('is that of the wallet for an entry, which keeps its place in the journal', async () => {
    const { body } = await send(['POST', '/kwlt/wallets/same/credits', money])
    const [{ data, revision }] = body.data.events
    await send(['POST', '/kwlt/wallets/same/debits', money])
    const entry = await read(`/kwlt/entries/${data.entry}`)
    expect([entry.body.data.revision, entry.headers.etag]).to.deep.equal([revision, `"${BigInt(revision) + 1n}"`])
    expect((await send(['POST', '/kwlt/wallets/same/debits', money], entry.headers.etag as string)).status).to.equal(
      201,
    )
  })

  it('stands in every row of a list', async () => {
    for (const { kind, id } of things) {
      const { body } = await read(`${kind.list}?limit=500`)
      const rows = (body.data as Record<string, string>[]).filter(kind.isOf(id))
      const row = pick(rows)
      expect((await send(pick(kind.change)(id, 3 * STEPS), `"${row.revision}"`)).status, kind.list).to.be.below(300)
    }
  })
})
