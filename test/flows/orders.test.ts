import { setTimeout as sleep } from 'node:timers/promises'
import { expect } from 'chai'
import { type App, startApp } from '../support/app.ts'
import type { Answer, Client } from '../support/client.ts'
import { patient } from '../support/pace.ts'

type Row = Record<string, string>

describe('orders with escrow, ratings and resources', function () {
  this.timeout(120_000)
  let app: App
  let mira: Client
  let jon: Client
  let lead: Client

  const sent = async (client: Client, path: string, body: object = {}, status = 200): Promise<Answer['body']> => {
    const answer = await client.call('POST', `/api/v1/${path}`, { body })
    expect(answer.status, JSON.stringify(answer.body)).to.equal(status)
    return answer.body
  }
  /** What a client reads once it is so. */
  const until = async (client: Client, path: string, isSo: (data: Row) => boolean): Promise<Row> => {
    for (const end = Date.now() + patient(30_000); ; await sleep(50)) {
      const { body } = await client.call('GET', `/api/v1/${path}`)
      if (body.data && isSo(body.data)) return body.data
      if (Date.now() > end) expect.fail(`it stays as it is: ${JSON.stringify(body)}`)
    }
  }
  const stands = (id: string, status: string) => until(mira, `kex/orders/${id}`, row => row.status === status)
  const money = { currency: 'EUR', account: 'main' }
  const order = { title: 'An atlas', vendor: 'jon', amount: '1000', currency: 'EUR', wallet: 'purse', account: 'main' }
  const target = { to_wallet: 'shop', to_account: 'main' }

  before(async () => {
    app = await startApp({ worker: true })
    lead = await app.clientOf('bazaar', 'organization-admin', 'ann')
    mira = await app.clientOf('bazaar', 'team-member', 'mira')
    jon = await app.clientOf('bazaar', 'team-member', 'jon')
    for (const id of ['purse', 'shop']) {
      await sent(lead, 'kwlt/wallets', { id, kind: 'business' }, 201)
      await sent(lead, `kwlt/wallets/${id}/accounts`, { ...money, overdraft: 'refused' }, 201)
    }
    await sent(lead, 'kwlt/wallets/purse/credits', { ...money, amount: '2500', counterparty: 'external:bank' }, 201)
  })
  after(() => app?.close())

  const balance = async (wallet: string) => {
    const path = `kwlt/wallets/${wallet}/accounts/main/EUR`
    return (await lead.call('GET', `/api/v1/${path}`)).body.data as Row
  }

  it('pays what was auctioned once its delivery is accepted; both sides rate each other', async () => {
    const terms = { id: 'atlas', format: 'english', title: 'An atlas', currency: 'EUR', start: '500', buy_now: '1000' }
    await sent(jon, 'kex/auctions', { ...terms, ends_at: '2999-12-31T12:00:00.000Z' }, 201)
    await sent(mira, 'kex/auctions/atlas/buy', { at_most: '1000' })
    const named = { id: 'o1', ...order, auction: 'atlas' }
    const { error } = await sent(mira, 'kex/orders', { ...named, amount: '900' }, 422)
    expect([error.code, JSON.stringify(error.details)]).to.satisfy(([code, details]: string[]) =>
      Boolean(code === 'order_terms_differ' && details!.includes('1000')),
    )
    await sent(mira, 'kex/orders', named, 201)
    await stands('o1', 'held')
    expect(await balance('purse')).to.include({ balance: '2500', available: '1500' })
    await sent(jon, 'kex/orders/o1/confirm', target)
    await sent(jon, 'kex/orders/o1/deliver', { note: 'By post' })
    await sent(mira, 'kex/orders/o1/accept')
    expect(await stands('o1', 'ended')).to.include({ to_vendor: '1000', to_buyer: '0', why: 'accepted' })
    expect([(await balance('purse')).balance, (await balance('shop')).balance]).to.deep.equal(['1500', '1000'])

    await sent(mira, 'kex/orders/o1/review', { rating: 5, text: 'On time' })
    const reviews = async () => (await jon.call('GET', '/api/v1/kex/reviews?about=jon')).body.data as Row[]
    expect(await reviews()).to.deep.equal([])
    await sent(jon, 'kex/orders/o1/review', { rating: 4 })
    const rating = await until(jon, 'kex/ratings/jon', ({ ratings }) => ratings === '1')
    expect(rating).to.include({ average_e4: 50_000, as_vendor: '1' })
    expect((await reviews()).map(({ text }) => text)).to.deep.equal(['On time'])
  })

  it('splits what is disputed as an arbiter says, and is read by its two sides alone', async () => {
    await sent(mira, 'kex/orders', { id: 'o2', ...order }, 201)
    await stands('o2', 'held')
    await sent(jon, 'kex/orders/o2/confirm', target)
    await sent(mira, 'kex/orders/o2/dispute', { reason: 'Nothing came' })
    const eve = await app.clientOf('bazaar', 'team-member', 'eve')
    expect((await eve.call('GET', '/api/v1/kex/orders/o2')).status).to.equal(404)
    const decision = { to_vendor: '300', reason: 'A part of it came' }
    await sent(eve, 'kex/orders/o2/decide', decision, 403)
    await sent(lead, 'kex/orders/o2/decide', decision)
    expect(await stands('o2', 'ended')).to.include({ to_vendor: '300', to_buyer: '700' })
    expect([(await balance('purse')).available, (await balance('shop')).balance]).to.deep.equal(['1200', '1300'])
  })

  it('refuses what cannot be held', async () => {
    await sent(mira, 'kex/orders', { id: 'o3', ...order, amount: '99999' }, 201)
    expect(await stands('o3', 'refused')).to.include({ reason: 'insufficient_funds' })
  })

  it('matches requests to capacities, and says why', async () => {
    const time = { unit: 'hours', from: '2026-12-01', to: '2026-12-10' }
    const rate = { rate: '6000', currency: 'EUR' }
    const offers = [
      { id: 'both', title: 'Maps in ink', traits: ['maps', 'ink'], units: 6, ...time, ...rate },
      { id: 'half', title: 'Ink', traits: ['ink'], units: 2, ...time, to: '2026-12-05', ...rate, rate: '9000' },
      { id: 'other', title: 'Seats', traits: ['maps'], units: 9, ...time, unit: 'seats' },
    ]
    for (const offer of offers) await sent(jon, 'kex/capacities', offer, 201)
    const wanted = { id: 'wanted', title: 'Maps', traits: ['maps', 'ink'], units: 4, ...time }
    await sent(mira, 'kex/resource-requests', { ...wanted, rate_at_most: '7000', currency: 'EUR', places: 2 }, 201)
    const taken = { request: 'wanted', units: 3, from: '2026-12-02', to: '2026-12-03' }
    const made = await mira.call('POST', '/api/v1/kex/capacities/both/allocations', { body: taken })
    const headers = { 'kogi-min-position': String(made.headers['kogi-position']) }
    const { body } = await mira.call('GET', '/api/v1/kex/resource-requests/wanted/matches', { headers })
    const whole = { traits: 1, time: 1, units: 0.75, rate: 1 }
    expect(body.data.map(({ capacity, fit, free }: Row) => [capacity, fit, free])).to.deep.equal([
      ['both', whole, 3],
      ['half', { traits: 0.5, time: 0.5, units: 0.5, rate: 0 }, 2],
    ])
    expect(body.data[1].traits_missing).to.deep.equal(['maps'])
  })
})
