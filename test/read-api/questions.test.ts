import { expect } from 'chai'
import { commandRoutes } from '../../commands/routes.ts'
import { services } from '../../infra/catalogue.ts'
import { createPaths } from '../../infra/http/paths.ts'
import { everyPage, History, makeWorld, type World } from './support.ts'

/** What a dashboard asks, with the answers written out. */
describe('read API: questions of dashboards', () => {
  let world: World
  before(async () => {
    const history = new History()
    const task = (id: string, data: object, at: string) =>
      history.add('acme', 'task', id, 'TaskCreated', { name: id, ...data }, at)
    task('t1', { status: 'open', assignee: 'ann', dueOn: '2026-01-04' }, '2026-01-31T23:59:59.999Z')
    task('t2', { status: 'open', assignee: 'Smith, John', dueOn: '2026-01-05' }, '2026-02-01T00:00:00.000Z')
    task('t3', { status: 'doing', assignee: 'back\\slash' }, '2026-02-01T12:00:00.000Z')
    task('t4', { status: 'done', dueOn: '2026-02-01', priority: 'high' }, '2026-02-02T00:00:00.000Z')
    task('summary', { status: 'done', assignee: 'anna', dueOn: '2025-12-29' }, '2026-02-03T00:00:00.000Z')
    for (const [id, title, tags] of [
      ['n1', '\ud7ffx', ['red', 'b,c']],
      ['n2', '\ue000x', ['blue']],
      ['n3', '\u{10ffff}x', []],
    ] as const) {
      history.add('acme', 'note', id, 'NoteAdded', { title, tags, owner: 'ann' })
    }
    for (const wallet of ['w1', 'w2']) {
      history.add('acme', 'wallet', wallet, 'WalletOpened', { owner: 'ann', kind: 'business' })
      for (const currency of ['EUR', 'JPY']) {
        const posting = { account: 'main', currency, amount: 9n * 10n ** 37n }
        const postings = [posting, { account: 'external:x', currency, amount: -posting.amount }]
        history
          .add('acme', 'wallet', wallet, 'AccountOpened', {
            account: 'main',
            currency,
            places: 2,
            overdraft: 'refused',
          })
          .add('acme', 'wallet', wallet, 'EntryPosted', {
            entry: `${wallet}-${currency}`,
            kind: 'credit',
            postings,
            effectiveOn: '2026-01-31',
          })
      }
    }
    world = await makeWorld()
    await world.write(history)
  })
  after(() => world.close())

  const ids = async (path: string) => {
    const { status, data, message } = await world.call('acme', path)
    expect(status, `${path} ${message}`).to.equal(200)
    return (data as { id: string }[]).map(({ id }) => id)
  }
  const summary = async (path: string) => (await world.call('acme', path)).data

  for (const [query, found] of [
    ['status=open,doing', ['t1', 't2', 't3']],
    ['status=open&assignee=ann', ['t1']],
    ['assignee=Smith%5C, John', ['t2']],
    ['assignee=back%5C%5Cslash,ann', ['t1', 't3']],
    ['assignee[prefix]=ann', ['summary', 't1']],
    ['assignee[prefix]=Smith, ', ['t2']],
    ['assignee[absent]=true', ['t4']],
    ['assignee[absent]=false&status=done', ['summary']],
    ['priority=high,critical', ['t4']],
    ['due_on[gte]=2026-01-05&due_on[lt]=2026-02-01', ['t2']],
    ['due_on[gt]=2026-01-05', ['t4']],
    ['due_on=2026-01-04,2026-02-01', ['t1', 't4']],
    // A day includes all of its instants, in UTC.
    ['created_at[lte]=2026-01-31', ['t1']],
    ['created_at[gt]=2026-01-31&created_at[lt]=2026-02-02', ['t2', 't3']],
    ['created_at[gte]=2026-02-02', ['summary', 't4']],
    ['created_at[gt]=2026-02-02T00:00:00.000Z', ['summary']],
    ['sort=due_on', ['summary', 't1', 't2', 't4', 't3']],
    ['sort=-due_on', ['t3', 't4', 't2', 't1', 'summary']],
    ['sort=-status&limit=3', ['t2', 't1', 't4']],
    ['sort=id', ['summary', 't1', 't2', 't3', 't4']],
  ] as const) {
    it(`lists tasks by ?${query}`, async () => expect(await ids(`/kctr/tasks?${query}`)).to.deep.equal(found))
  }

  it('looks into lists, and for prefixes at the edges of the code points', async () => {
    expect(await ids('/koff/notes?tags=red')).to.deep.equal(['n1'])
    expect(await ids('/koff/notes?tags=b%5C,c,blue')).to.deep.equal(['n1', 'n2'])
    expect(await ids('/koff/notes?tags=green')).to.deep.equal([])
    for (const [letter, id] of [
      ['\ud7ff', 'n1'],
      ['\ue000', 'n2'],
      ['\u{10ffff}', 'n3'],
    ] as const) {
      expect(await ids(`/koff/notes?title[prefix]=${encodeURIComponent(letter)}`)).to.deep.equal([id])
    }
  })

  it('counts by days, weeks that begin on Monday, and months', async () => {
    expect(await summary('/kctr/tasks/summary?by=due_on:week')).to.deep.equal([
      { group: { 'due_on:week': '2025-12-29' }, count: 2, sums: {} },
      { group: { 'due_on:week': '2026-01-05' }, count: 1, sums: {} },
      { group: { 'due_on:week': '2026-01-26' }, count: 1, sums: {} },
      { group: { 'due_on:week': null }, count: 1, sums: {} },
    ])
    expect(await summary('/kctr/tasks/summary?by=created_at:month,status&status=open')).to.deep.equal([
      { group: { 'created_at:month': '2026-01', status: 'open' }, count: 1, sums: {} },
      { group: { 'created_at:month': '2026-02', status: 'open' }, count: 1, sums: {} },
    ])
  })

  it('orders groups by what they hold, and says that there are more', async () => {
    const { data, pagination } = await world.call('acme', '/kctr/tasks/summary?by=status&sort=-count&limit=1')
    expect(data).to.deep.equal([{ group: { status: 'done' }, count: 2, sums: {} }])
    expect(pagination).to.deep.equal({ limit: 1, has_more: true })
  })

  it('adds up money of one currency exactly, however long the sum', async () => {
    const sum = String(18n * 10n ** 37n)
    expect(await summary('/kwlt/accounts/summary?by=currency&sum=balance,postings')).to.deep.equal([
      { group: { currency: 'EUR' }, count: 2, sums: { balance: sum, postings: '2' } },
      { group: { currency: 'JPY' }, count: 2, sums: { balance: sum, postings: '2' } },
    ])
    const total = [{ group: {}, count: 2, sums: { balance: sum } }]
    expect(await summary('/kwlt/accounts/summary?currency=JPY&sum=balance')).to.deep.equal(total)
    const nothing = [{ group: {}, count: 0, sums: { balance: '0' } }]
    expect(await summary('/kwlt/accounts/summary?currency=USD&sum=balance')).to.deep.equal(nothing)
    const of = '/kwlt/wallets/w1/accounts/summary'
    expect(await summary(`${of}?sum=postings`)).to.deep.equal([{ group: {}, count: 2, sums: { postings: '2' } }])
  })

  it('says what it expects', async () => {
    for (const [path, message] of [
      ['/kctr/tasks?priority=urgent', 'The parameter priority must be low, medium, high or critical.'],
      ['/kctr/tasks?due_on[lt]=soon', 'The parameter due_on[lt] must be a date: YYYY-MM-DD.'],
      ['/kctr/tasks?status=a&status=b', 'The parameter status must be given once, with commas between its values.'],
      [
        '/kwlt/accounts/summary?by=owner',
        'The parameter by must be wallet, currency, places, overdraft, type, kind or status.',
      ],
      [
        '/kwlt/accounts/summary?sum=balance',
        'The parameter sum must not add up balance over several values of currency: ' +
          'group with by=currency or filter to one, as currency=….',
      ],
    ] as const) {
      const answer = await world.call('acme', path)
      expect([answer.status, answer.message], path).to.deep.equal([400, message])
    }
  })

  it('pages through the longest texts that a list can be ordered by', async () => {
    const long = '\u0001'.repeat(500)
    const history = new History()
    for (const id of ['1', '2', '3'].map(end => '\u{10ffff}'.repeat(127) + end)) {
      history.add('acme', 'note', id, 'NoteAdded', { title: long, tags: [], owner: 'ann' })
    }
    const other = await makeWorld()
    await other.write(history)
    const found = await everyPage(other, 'acme', '/koff/notes?sort=-title&limit=1')
    expect(found.map(({ id }) => String(id).slice(-1))).to.deep.equal(['3', '2', '1'])
    await other.close()
  })

  it('waits for a position, and refuses one that is not reached, as a list does', async () => {
    const late = await world.call('acme', '/kctr/tasks/summary?wait=0&at_least=9999')
    expect([late.status, late.code]).to.deep.equal([503, 'not_yet_visible'])
    const beyond = await world.call('acme', '/kctr/tasks/summary?as_of=9999')
    expect([beyond.status, beyond.code]).to.deep.equal([400, 'as_of_beyond_head'])
    const past = await world.call('acme', '/kctr/tasks/summary?as_of=110')
    expect([past.data, past.meta!.as_of]).to.deep.equal([[{ group: {}, count: 1, sums: {} }], '110'])
  })

  it('reads the summary under its path, and a thing of that name in the list', async () => {
    expect(await summary('/kctr/tasks/summary')).to.deep.equal([{ group: {}, count: 5, sums: {} }])
    expect(await ids('/kctr/tasks?created_at[gte]=2026-02-03')).to.deep.equal(['summary'])
  })

  it('leaves a thing called summary the methods that change it', () => {
    const { find, methodsOf } = createPaths([...commandRoutes(services, {} as never), ...world.routes])
    const path = '/koff/notes/summary'
    expect(find('GET', path).route.operationId).to.equal('summarizeNotes')
    for (const method of ['PUT', 'PATCH', 'DELETE']) {
      expect(find(method, path).params, method).to.deep.include({ id: 'summary' })
    }
    expect(methodsOf(path)).to.have.members(['PUT', 'PATCH', 'DELETE', 'GET', 'HEAD', 'OPTIONS'])
    expect(() => find('POST', path))
      .to.throw()
      .with.property('code', 'method_not_allowed')
  })
})
