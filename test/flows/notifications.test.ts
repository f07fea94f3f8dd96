import { setTimeout as sleep } from 'node:timers/promises'
import { expect } from 'chai'
import { type App, startApp } from '../support/app.ts'
import type { Client } from '../support/client.ts'
import { patient } from '../support/pace.ts'

type Notification = {
  readonly id: string
  readonly kind: string
  readonly text: string
  readonly read: boolean
  readonly position: string
  readonly parts: readonly { readonly link?: string }[]
}

describe('notifications', function () {
  this.timeout(60_000)
  let app: App
  let mira: Client
  let jon: Client
  let last = ''

  const sent = async (client: Client, method: string, path: string, body: object = {}) => {
    const answer = await client.call(method, `/api/v1${path}`, { body })
    expect(answer.status, JSON.stringify(answer.body)).to.be.within(200, 204)
    last = String(answer.headers['kogi-position'])
  }
  const got = async (client: Client, path: string) => {
    const answer = await client.call('GET', `/api/v1/khub${path}${path.includes('?') ? '&' : '?'}at_least=${last}`)
    expect(answer.status, JSON.stringify(answer.body)).to.equal(200)
    return answer.body
  }
  const list = async (client: Client, query = '') =>
    (await got(client, `/notifications${query}`)).data as Notification[]
  const unread = async (client: Client): Promise<number> => (await got(client, '/inbox')).data.unread
  const task = (id: string, more: object = {}) =>
    sent(mira, 'POST', '/kctr/tasks', { id, name: `Task ${id}`, assignee: 'jon', ...more })

  before(async () => {
    app = await startApp({ worker: true })
    mira = await app.clientOf('studio', 'organization-admin', 'mira')
    jon = await app.clientOf('studio', 'team-member', 'jon')
    for (const id of ['a', 'b', 'c']) await task(id)
    await task('d', { assignee: 'mira', description: 'What does @jon think?' })
  })
  after(() => app?.close())

  it('come to whom they are for, newest first, in words with links', async () => {
    const found = await list(jon)
    expect(found.map(({ kind, text }) => `${kind}: ${text}`)).to.deep.equal([
      'mentioned: mira created the task “Task d” for mira',
      ...['c', 'b', 'a'].map(id => `task_assigned: mira created the task “Task ${id}” for jon`),
    ])
    expect(found[1]!.parts[1]!.link).to.equal('/api/v1/kctr/tasks/c')
    expect(await list(mira)).to.deep.equal([])
    expect(await list(await app.clientOf('other', 'team-member', 'jon'))).to.deep.equal([])
    expect(await list(jon, '?kind=mentioned')).to.have.length(1)
  })

  it('are read page by page', async () => {
    const first = await got(jon, '/notifications?limit=3')
    const rest = await list(jon, `?limit=3&after=${encodeURIComponent(first.pagination.next)}`)
    expect([...first.data, ...rest]).to.deep.equal(await list(jon))
  })

  it('are unread until they are marked, one by one or all that were seen', async () => {
    const marked = await jon.call('POST', '/api/v1/khub/inboxes/jon/read', { body: { notification: 'x' } })
    expect([marked.status, marked.body.error.code], 'no inbox yet').to.deep.equal([404, 'not_found'])
    await sent(jon, 'POST', '/khub/inboxes', { id: 'jon' })
    expect(await unread(jon)).to.equal(4)
    const [newest] = await list(jon)
    await sent(jon, 'POST', '/khub/inboxes/jon/read', { notification: newest!.id })
    expect(await unread(jon)).to.equal(3)
    expect((await list(jon)).map(({ read }) => read)).to.deep.equal([true, false, false, false])
    expect(await list(jon, '?read=false')).to.have.length(3)
    const seen = (await list(jon))[0]!.position
    await task('e')
    await sent(jon, 'PUT', '/khub/inboxes/jon/read-up-to', { up_to: seen })
    expect((await list(jon, '?read=false')).map(({ text }) => text)).to.deep.equal([
      'mira created the task “Task e” for jon',
    ])
    expect(await unread(jon)).to.equal(1)
  })

  it('are marked up to a position that a log can have', async () => {
    const body = { up_to: '9223372036854775808' }
    const refused = await jon.call('PUT', '/api/v1/khub/inboxes/jon/read-up-to', { body })
    expect([refused.status, refused.body.error.code]).to.deep.equal([400, 'invalid_body'])
  })

  it('are marked by their user alone', async () => {
    for (const [method, path, body] of [
      ['POST', '/inboxes', { id: 'jon' }],
      ['POST', '/inboxes/jon/read', { notification: 'x' }],
      ['PUT', '/inboxes/jon/read-up-to', { up_to: '1' }],
      ['PUT', '/inboxes/jon/preferences', { kind: 'mentioned', channel: 'in_app', wanted: false }],
    ] as const) {
      const answer = await mira.call(method, `/api/v1/khub${path}`, { body })
      expect([answer.status, answer.body.error.code], path).to.deep.equal([422, 'inbox_of_another'])
    }
  })

  it('come only of kinds that are wanted', async () => {
    const assigned = { kind: 'task_assigned', channel: 'in_app' }
    await sent(jon, 'PUT', '/khub/inboxes/jon/preferences', { ...assigned, wanted: false })
    expect((await list(jon)).map(({ kind }) => kind)).to.deep.equal(['mentioned'])
    const { data } = await got(jon, '/inbox')
    expect(data.unread).to.equal(0)
    expect(data.kinds.find(({ kind }: Notification) => kind === 'task_assigned').in_app).to.equal(false)
    await sent(jon, 'PUT', '/khub/inboxes/jon/preferences', { ...assigned, wanted: true })
    expect(await unread(jon)).to.equal(1)
    const body = { ...assigned, kind: 'moon', wanted: true }
    const unknown = await jon.call('PUT', '/api/v1/khub/inboxes/jon/preferences', { body })
    expect(unknown.status).to.equal(400)
  })

  it('are only of what the caller may read', async () => {
    const blind = await app.clientOf('studio', 'guest', 'jon')
    expect((await list(blind)).length).to.equal(5)
    await sent(mira, 'POST', '/kwlt/wallets', { id: 'one', kind: 'personal' })
    for (const account of ['main', 'savings']) {
      await sent(mira, 'POST', '/kwlt/wallets/one/accounts', { account, currency: 'EUR', overdraft: 'refused' })
    }
    await sent(mira, 'POST', '/kwlt/wallets/one/credits', { account: 'main', currency: 'EUR', amount: '5' })
    const lead = await app.clientOf('studio', 'team-lead', 'lea')
    const transfer = { from: 'one', from_account: 'main', to: 'one', to_account: 'savings', currency: 'EUR' }
    await sent(lead, 'POST', '/kwlt/transfers', { id: 't', ...transfer, amount: '5' })
    await sent(lead, 'POST', '/kwlt/transfers', { id: 'u', ...transfer, amount: '50' })
    await sent(lead, 'POST', '/kwlt/transfers', { id: 'complete at once', ...transfer, amount: '0' })
    for (const end = Date.now() + 20_000; (await list(lead)).length < 2; await sleep(50)) {
      if (Date.now() > end) expect.fail(JSON.stringify(await list(lead)))
    }
    expect((await list(lead)).map(({ kind, text }) => `${kind}: ${text}`)).to.have.members([
      'transfer_completed: Kogi completed the transfer t',
      'transfer_refused: Kogi refused the transfer u (insufficient_funds)',
    ])
    expect(await list(await app.clientOf('studio', 'guest', 'lea')), 'guests see no transfers').to.deep.equal([])
  })

  it('come once for each period in which more was spent than a budget allows', async () => {
    const ana = await app.clientOf('studio', 'team-lead', 'ana')
    const account = { account: 'shop', currency: 'EUR' }
    await sent(mira, 'POST', '/kwlt/wallets/one/accounts', { ...account, overdraft: 'allowed' })
    const spend = (amount: string) =>
      sent(ana, 'POST', '/kwlt/wallets/one/debits', { ...account, amount, tags: ['paper'] })
    await spend('90')
    const budget = { title: 'Paper', currency: 'EUR', amount: '100', period: 'year', tag: 'paper' }
    await sent(ana, 'POST', '/kwlt/budgets', { id: 'paper', ...budget })
    await sent(ana, 'POST', '/kwlt/budgets', { id: 'pens', ...budget, tag: 'pens' })
    await spend('11')
    const passed = async () => (await list(ana)).filter(({ kind }) => kind === 'budget_passed')
    for (const end = Date.now() + patient(20_000); (await passed()).length < 1; await sleep(50)) {
      if (Date.now() > end) expect.fail(JSON.stringify(await list(ana)))
    }
    await spend('50')
    const year = new Date().getUTCFullYear()
    await sent(ana, 'POST', '/kwlt/budgets', { id: 'less', ...budget, title: 'Less', amount: '150' })
    for (const end = Date.now() + patient(20_000); (await passed()).length < 2; await sleep(50)) {
      if (Date.now() > end) expect.fail(JSON.stringify(await list(ana)))
    }
    const said = (title: string, spent: string, may: string) =>
      `Kogi noted that more was spent than the budget “${title}” allows from ${year}-01-01 to ${year}-12-31: ` +
      `${spent} EUR of ${may} EUR`
    expect((await passed()).map(({ text }) => text)).to.deep.equal([
      said('Less', '1.51', '1.50'),
      said('Paper', '1.01', '1.00'),
    ])
  })
})
