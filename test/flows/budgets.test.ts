import { expect } from 'chai'
import { type App, startApp } from '../support/app.ts'
import type { Client } from '../support/client.ts'

describe('budgets', () => {
  let app: App
  let client: Client
  let last = '0'

  before(async () => {
    app = await startApp()
    client = await app.clientOf('okonjo')
    await sent('/kctr/projects', { id: 'sea', name: 'Colours of the sea' })
    await sent('/kwlt/wallets', { id: 'studio', kind: 'business' })
    for (const [account, currency] of [
      ['checking', 'EUR'],
      ['savings', 'EUR'],
      ['dollars', 'USD'],
    ]) {
      await sent('/kwlt/wallets/studio/accounts', { account, currency, overdraft: 'allowed' })
    }
    await sent('/kwlt/wallets/studio/accounts', {
      account: 'paint',
      currency: 'EUR',
      overdraft: 'allowed',
      type: 'expense',
    })
    const budget = { title: 'Material', currency: 'EUR', amount: '10000', period: 'month', tag: 'material' }
    await sent('/kwlt/budgets', { id: 'material', ...budget })
    await sent('/kwlt/budgets', {
      id: 'sea',
      ...budget,
      tag: undefined,
      project: 'sea',
      period: 'once',
      amount: '9000',
    })
  })
  after(() => app?.close())

  async function sent(path: string, body: object) {
    const answer = await client.call('POST', `/api/v1${path}`, { body })
    expect([200, 201], JSON.stringify(answer.body)).to.include(answer.status)
    last = String(answer.headers['kogi-position'])
    return answer.body.data
  }
  const spend = async (amount: string, effective_on: string, more: object = {}) => {
    const said = { account: 'checking', currency: 'EUR', amount, effective_on, tags: ['material'], ...more }
    return (await sent('/kwlt/wallets/studio/debits', said)).events[0].data.entry as string
  }
  async function periods(id: string, query: string) {
    const path = `/api/v1/kwlt/budgets/${id}/actuals?${query}`
    const { status, body } = await client.call('GET', path, { headers: { 'Kogi-Min-Position': last } })
    expect(status, JSON.stringify(body)).to.equal(200)
    return body.data.periods
  }
  const actuals = async (id: string, query: string) =>
    (await periods(id, query)).map(({ from, actual }: Record<string, string>) => [from, actual])

  it('add up what left accounts by the entries that they are about, period by period', async () => {
    await spend('4200', '2026-01-05')
    await spend('5900', '2026-01-31', { project: 'sea' })
    await spend('100', '2026-02-01', { project: 'sea', tags: ['other', 'material'] })
    await spend('7777', '2026-01-10', { tags: ['rent'] })
    await sent('/kwlt/wallets/studio/credits', {
      account: 'checking',
      currency: 'EUR',
      amount: '50',
      effective_on: '2026-02-03',
      tags: ['material'],
    })
    const [january, february] = await periods('material', 'from=2026-01-15&to=2026-02-15')
    expect(january).to.deep.equal({
      from: '2026-01-01',
      to: '2026-01-31',
      amount: '10000',
      actual: '10100',
      left: '-100',
      is_passed: true,
      others: [],
    })
    expect([february.actual, february.left, february.is_passed]).to.deep.equal(['50', '9950', false])
    expect(await actuals('sea', 'to=2026-02-01')).to.deep.equal([['0001-01-01', '6000']])
  })

  it('count what moves between accounts not at all, and expenses of the wallet once', async () => {
    const lines = (...postings: (readonly [string, string])[]) =>
      sent('/kwlt/wallets/studio/entries', {
        postings: postings.map(([account, amount]) => ({ account, currency: 'EUR', amount })),
        tags: ['material'],
        effective_on: '2026-03-01',
      })
    await lines(['checking', '-500'], ['savings', '500'])
    await lines(['checking', '-300'], ['paint', '300'])
    expect(await actuals('material', 'to=2026-03-31')).to.deep.equal([['2026-03-01', '300']])
  })

  it('name what was spent in other currencies', async () => {
    await spend('900', '2026-04-01', { account: 'dollars', currency: 'USD' })
    const [april] = await periods('material', 'to=2026-04-30')
    expect([april.actual, april.others]).to.deep.equal(['0', [{ currency: 'USD', places: 2, actual: '900' }]])
  })

  it('do not count what was taken back, whatever the correction says of itself', async () => {
    const entry = await spend('8000', '2026-05-01')
    const before = last
    await sent(`/kwlt/wallets/studio/entries/${entry}/reverse`, { effective_on: '2026-05-02' })
    expect(await actuals('material', 'to=2026-05-31')).to.deep.equal([['2026-05-01', '0']])
    expect(await actuals('material', `to=2026-05-31&as_of=${before}`)).to.deep.equal([['2026-05-01', '8000']])

    const other = await spend('8000', '2026-06-01')
    const postings = [
      { account: 'checking', currency: 'EUR', amount: '-700' },
      { account: 'external:shop', currency: 'EUR', amount: '700' },
    ]
    const instead = { effective_on: '2026-06-02', postings, tags: ['material'] }
    await sent(`/kwlt/wallets/studio/entries/${other}/reverse`, instead)
    expect(await actuals('material', 'to=2026-06-30')).to.deep.equal([['2026-06-01', '700']])
  })

  it('answer for periods that there are', async () => {
    const get = async (path: string) => {
      const { status, body } = await client.call('GET', `/api/v1/kwlt/budgets/${path}`)
      return [status, body.error?.code]
    }
    expect(await get('nothing/actuals')).to.deep.equal([404, 'not_found'])
    expect(await get('material/actuals?from=2026-02-01&to=2026-01-01')).to.deep.equal([400, 'invalid_parameter'])
    expect(await get('material/actuals?from=1900-01-01&to=2026-01-01')).to.deep.equal([400, 'invalid_parameter'])
    expect(await get('material/actuals')).to.deep.equal([200, undefined])
  })
})
