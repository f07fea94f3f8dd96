import { expect } from 'chai'
import { type App, startApp } from '../support/app.ts'
import type { Client } from '../support/client.ts'
import { patient } from '../support/pace.ts'

describe('time that was worked, posted to a wallet by the worker', () => {
  let app: App
  let client: Client
  let last = '0'

  before(async () => {
    app = await startApp({ worker: true })
    client = await app.clientOf('hours', 'organization-admin', 'mira')
    await sent('POST', '/kwlt/wallets', { id: 'studio', kind: 'business' })
    for (const [account, overdraft] of [
      ['fees', 'refused'],
      ['wages', 'refused'],
    ]) {
      await sent('POST', '/kwlt/wallets/studio/accounts', { account, currency: 'EUR', overdraft })
    }
    await sent('POST', '/kctr/projects', { id: 'menu', name: 'Menu', wallet_id: 'studio' })
    await sent('POST', '/kctr/tasks', { id: 'draw', name: 'Draw it', project_id: 'menu' })
  })
  after(() => app?.close())

  async function sent(method: string, path: string, body: object) {
    const answer = await client.call(method, `/api/v1${path}`, { body })
    expect(answer.status, `${path} ${JSON.stringify(answer.body)}`).to.be.within(200, 201)
    last = String(answer.headers['kogi-position'])
    return answer.body.data
  }
  async function read(path: string) {
    const { status, body } = await client.call('GET', `/api/v1${path}`, { headers: { 'Kogi-Min-Position': last } })
    expect(status, `${path} ${JSON.stringify(body)}`).to.equal(200)
    return body.data
  }
  /** Logs 90 minutes and has them posted; the entry once the wallet has answered. */
  async function posted(account: string, kind: 'credit' | 'debit') {
    const work = { minutes: 90, worked_on: '2026-11-20', rate: '6000', currency: 'EUR' }
    const { entry } = (await sent('POST', '/kctr/tasks/draw/time-entries', work)).events[0].data
    await sent('PUT', `/kctr/tasks/draw/time-entries/${entry}/posting`, { wallet: 'studio', account, kind })
    const end = performance.now() + patient(20_000)
    for (;;) {
      const found = await read(`/kctr/tasks/draw/time-entries/${entry}`)
      if (found.status !== 'requested' || performance.now() > end) return found
      await new Promise(resolve => setTimeout(resolve, 50))
    }
  }

  it('is an entry of its amount, which counts towards the project', async () => {
    expect(await posted('fees', 'credit')).to.include({ status: 'posted', amount: '9000', wallet: 'studio' })
    const accounts = await read('/kwlt/wallets/studio/accounts')
    expect(accounts.find(({ account }: { account: string }) => account === 'fees').balance).to.equal('9000')
    const budget = await read('/kctr/projects/menu/budget')
    expect(budget).to.deep.include({ received: [{ currency: 'EUR', places: 2, amount: '9000' }], spent: [] })
    expect((await read('/kctr/tasks/draw')).actual_hours).to.equal(1.5)
  })

  it('says why the wallet refused it, and is posted when it can be', async () => {
    const refused = await posted('wages', 'debit')
    expect(refused).to.include({ status: 'refused', code: 'insufficient_funds' })
    const more = { account: 'wages', currency: 'EUR', amount: '20000', counterparty: 'external:bank' }
    await sent('POST', '/kwlt/wallets/studio/credits', more)
    expect(await posted('wages', 'debit')).to.include({ status: 'posted' })
    const [{ amount }] = (await read('/kctr/projects/menu/budget')).spent
    expect(amount).to.equal('9000')
  })

  it('is posted without the project of its task where that was removed', async () => {
    expect((await client.call('DELETE', '/api/v1/kctr/projects/menu')).status).to.equal(204)
    expect(await posted('fees', 'credit')).to.include({ status: 'posted', amount: '9000' })
    const accounts = await read('/kwlt/wallets/studio/accounts')
    expect(accounts.find(({ account }: { account: string }) => account === 'fees').balance).to.equal('18000')
  })

  it('is never posted twice', async () => {
    const [first] = (await read('/kctr/time-entries?status=posted')) as { entry: string }[]
    const again = { wallet: 'studio', account: 'fees' }
    const path = `/api/v1/kctr/tasks/draw/time-entries/${first!.entry}/posting`
    const { status, body } = await client.call('PUT', path, { body: again })
    expect([status, body.error.code]).to.deep.equal([422, 'time_entry_posted'])
  })
})
