import { expect } from 'chai'
import { type App, startApp } from '../support/app.ts'
import type { Client } from '../support/client.ts'

describe('investments', () => {
  let app: App
  let client: Client
  let last = '0'

  before(async () => {
    app = await startApp()
    client = await app.clientOf('okonjo')
    await sent('/wallets', { id: 'portfolio', kind: 'portfolio' })
    for (const currency of ['EUR', 'USD', 'JPY']) {
      await sent('/wallets/portfolio/accounts', { account: 'cash', currency, overdraft: 'allowed' })
    }
    const credit = (currency: string, amount: string, effective_on: string) =>
      sent('/wallets/portfolio/credits', { account: 'cash', currency, amount, effective_on })
    await credit('EUR', '100000', '2015-12-01')
    await credit('USD', '10887', '2015-12-31')
    await credit('JPY', '13107', '2016-01-02')
    await sent('/rate-tables', { id: 'ecb', valid_days: 7 })
    await record([
      { day: '2015-12-31', base: 'EUR', quote: 'USD', rate: '1.0887' },
      { day: '2015-12-31', base: 'EUR', quote: 'JPY', rate: '131.07' },
    ])
    const position = { wallet: 'portfolio', kind: 'equity', asset: 'ACME', currency: 'USD', quantity_places: 0 }
    await sent('/investments', { id: 'acme', ...position })
    const lot = (lot: string, quantity: string, cost: string, at: string) =>
      sent('/investments/acme/lots', { lot, quantity, cost, at })
    await lot('first', '10', '100000', '2014-01-15T09:00:00.000Z')
    await lot('second', '10', '120000', '2015-06-15T09:00:00.000Z')
  })
  after(() => app?.close())

  async function send(path: string, body: object, method = 'POST') {
    const answer = await client.call(method, `/api/v1/kwlt${path}`, { body })
    last = String(answer.headers['kogi-position'] ?? last)
    return answer
  }
  async function sent(path: string, body: object, method = 'POST') {
    const answer = await send(path, body, method)
    expect([200, 201], JSON.stringify(answer.body)).to.include(answer.status)
    return answer.body.data
  }
  const record = (rates: object[]) => sent('/rate-tables/ecb/rates', { rates }, 'PUT')
  async function read(path: string) {
    const { status, body } = await client.call('GET', `/api/v1/kwlt${path}`, { headers: { 'Kogi-Min-Position': last } })
    expect(status, JSON.stringify(body)).to.equal(200)
    return body.data
  }
  const worth = (more: string) => read(`/net-worth?currency=EUR&${more}`)

  it('are refused where a choice is left, with the candidates, and nothing is written', async () => {
    const before = last
    const { status, body } = await send('/investments/acme/dispose', { quantity: '5', proceeds: '0', method: 'named' })
    expect([status, body.error.code]).to.deep.equal([422, 'lots_ambiguous'])
    expect(body.error.details.map(({ field }: { field: string }) => field)).to.deep.equal([
      'candidates',
      'lot first',
      'lot second',
    ])
    expect((await read('/investments/acme')).quantity).to.equal('20')
    expect(last).to.equal(before)
  })

  it('are sold lot by lot, with what each part gained', async () => {
    const at = '2015-12-15T09:00:00.000Z'
    await sent('/investments/acme/dispose', { quantity: '15', proceeds: '187500', at })
    const gains = await read('/investments/acme/gains')
    expect(gains.map(({ lot, term, gain, year }: Record<string, string>) => [lot, term, gain, year])).to.deep.equal([
      ['first', 'long', '25000', '2015'],
      ['second', 'short', '2500', '2015'],
    ])
    const [{ sums }] = await read('/gains/summary?by=year&sum=gain&currency=USD&investment=acme')
    expect(sums).to.deep.equal({ gain: '27500' })
    const { quantity, cost, gain } = await read('/investments/acme')
    expect({ quantity, cost, gain }).to.deep.equal({ quantity: '5', cost: '60000', gain: '27500' })
  })

  it('are a part of the net worth of a day', async () => {
    const parts = [
      { of: 'accounts', code: 'EUR', amount: '100000', places: 2, value: '100000', rates: [] },
      {
        of: 'accounts',
        code: 'USD',
        amount: '10887',
        places: 2,
        value: '10000',
        rates: [{ source: 'ecb', base: 'EUR', quote: 'USD', day: '2015-12-31', rate: '1.0887' }],
      },
      { of: 'investments', code: 'ACME', amount: '5', places: 0 },
    ]
    const unknown = { currency: 'EUR', places: 2, day: '2016-01-01', is_complete: false, parts }
    expect(await worth('day=2016-01-01')).to.deep.equal(unknown)

    await record([{ day: '2015-12-30', base: 'ACME', quote: 'USD', rate: '130.644' }])
    const { total, is_complete, parts: valued } = await worth('day=2016-01-01')
    expect({ total, is_complete }).to.deep.equal({ total: '170000', is_complete: true })
    expect(valued.at(-1).value).to.equal('60000')
    expect((await worth('day=2016-01-02')).total).to.equal('180000')
    const inYen = await read('/net-worth?currency=JPY&day=2016-01-02')
    expect([inYen.total, inYen.places]).to.deep.equal(['235926', 0])
    // Before the sale there were ten more of one lot and five of the other, and no price yet.
    const earlier = await worth('day=2015-12-14')
    expect([earlier.is_complete, earlier.parts.at(-1).amount]).to.deep.equal([false, '20'])
  })

  it('are worth as of a position what was known then', async () => {
    const before = last
    await record([{ day: '2015-12-31', base: 'EUR', quote: 'USD', rate: '2' }])
    await sent('/wallets/portfolio/credits', {
      account: 'cash',
      currency: 'EUR',
      amount: '1',
      effective_on: '2015-12-01',
    })
    expect((await worth(`day=2016-01-01&as_of=${before}`)).total).to.equal('170000')
    expect((await worth('day=2016-01-01')).total).to.equal('138106')
    await record([{ day: '2015-12-31', base: 'EUR', quote: 'USD', rate: '1.0887' }])
  })

  it('are valued lot by lot', async () => {
    const found = await read('/investments/acme/valuation?day=2016-01-01')
    expect(found).to.deep.equal({
      investment: 'acme',
      asset: 'ACME',
      currency: 'USD',
      places: 2,
      quantity_places: 0,
      day: '2016-01-01',
      rates: [{ source: 'ecb', base: 'ACME', quote: 'USD', day: '2015-12-30', rate: '130.644' }],
      quantity: '5',
      cost: '60000',
      value: '65322',
      gain: '5322',
      lots: [
        {
          lot: 'second',
          account: 'main',
          acquired_at: '2015-06-15T09:00:00.000Z',
          quantity: '5',
          cost: '60000',
          value: '65322',
          gain: '5322',
        },
      ],
    })
    const inEuro = await read('/investments/acme/valuation?day=2016-01-01&currency=EUR')
    expect([inEuro.currency, inEuro.value, inEuro.cost, inEuro.gain]).to.deep.equal(['EUR', '60000', '55112', '4888'])
    const { status } = await client.call('GET', '/api/v1/kwlt/investments/acme/valuation?day=2017-01-01')
    expect(status).to.equal(404)
  })

  it('keep their lots after a move and a split', async () => {
    await sent('/investments/acme/move', { from: 'main', to: 'vault', quantity: '2' })
    await sent('/investments/acme/split', { numerator: 3, denominator: 1 })
    const lots = await read('/investments/acme/lots?status=open')
    expect(
      lots.map(({ account, quantity, cost }: Record<string, string>) => [account, quantity, cost]),
    ).to.have.deep.members([
      ['main', '9', '36000'],
      ['vault', '6', '24000'],
    ])
    expect((await read('/investments/acme')).quantity).to.equal('15')
  })

  it('are as they were before a trade that is taken back, once', async () => {
    const at = '2015-03-01T09:00:00.000Z'
    const position = { wallet: 'portfolio', kind: 'crypto', asset: 'COIN', currency: 'USD', quantity_places: 0 }
    await sent('/investments', { id: 'coins', ...position })
    await sent('/investments/coins/lots', { lot: 'one', quantity: '4', cost: '4000', at })
    await sent('/investments/coins/lots', { lot: 'two', quantity: '4', cost: '6000', at })
    const lots = async () => {
      const all = await read('/investments/coins/lots')
      return all.map(({ updated_at: _, revision: __, ...lot }: Record<string, string>) => lot)
    }
    const before = await lots()
    const worthBefore = await read('/investments/coins')
    const trades = [
      await sent('/investments/coins/dispose', { quantity: '5', proceeds: '9000' }),
      await sent('/investments/coins/split', { numerator: 2, denominator: 1 }),
      await sent('/investments/coins/receive', { amount: '70' }),
    ]
    const reverse = (revision: string) => send('/investments/coins/reverse', { revision, reason: 'By mistake' })
    const followed = await reverse(trades[0].revision)
    expect([followed.status, followed.body.error.code]).to.deep.equal([422, 'trade_followed'])
    for (const { revision } of trades.toReversed()) expect((await reverse(revision)).status).to.equal(200)
    expect(await lots()).to.deep.equal(before)
    const { quantity, cost, gain, income } = worthBefore
    expect(await read('/investments/coins')).to.include({ quantity, cost, gain, income })
    const gains = await read('/investments/coins/gains/summary?sum=gain&by=year&currency=USD')
    expect(gains.map(({ sums }: { sums: object }) => sums)).to.deep.equal([{ gain: '0' }])
    const again = await send('/investments/coins/reverse', { revision: trades[2].revision })
    expect([again.status, again.body.error.code]).to.deep.equal([422, 'trade_already_reversed'])
    const none = await send('/investments/coins/reverse', { revision: '0' })
    expect([none.status, none.body.error.code]).to.deep.equal([422, 'trade_unknown'])
  })
})
