import { expect } from 'chai'
import { type App, startApp } from '../support/app.ts'
import type { Client } from '../support/client.ts'

describe('exchange', () => {
  let app: App
  let client: Client
  let last = '0'

  before(async () => {
    app = await startApp()
    client = await app.clientOf('okonjo')
    await send('POST', '/rate-tables', { id: 'ecb' })
    await send('POST', '/rate-tables', { id: 'prices', valid_days: 366 })
    const rates = [
      { day: '2015-12-31', base: 'EUR', quote: 'USD', rate: '1.0887' },
      { day: '2015-12-31', base: 'EUR', quote: 'JPY', rate: '131.07' },
    ]
    await send('PUT', '/rate-tables/ecb/rates', { rates })
    const prices = [{ day: '2015-06-30', base: 'ACME', quote: 'USD', rate: '12.5' }]
    await send('PUT', '/rate-tables/prices/rates', { rates: prices })
  })
  after(() => app?.close())

  async function send(method: string, path: string, body: object) {
    const answer = await client.call(method, `/api/v1/kwlt${path}`, { body })
    expect([200, 201], JSON.stringify(answer.body)).to.include(answer.status)
    last = String(answer.headers['kogi-position'])
    return answer
  }
  async function get(query: string) {
    const headers = { 'Kogi-Min-Position': last }
    const { status, body } = await client.call('GET', `/api/v1/kwlt/exchange?${query}`, { headers })
    return { status, data: body.data, error: body.error }
  }

  it('gives what an amount is worth, and the rates that it is made of', async () => {
    const { data } = await get('from=ACME&to=JPY&amount=700&places=2&day=2016-01-03')
    expect(data).to.deep.equal({
      from: 'ACME',
      to: 'JPY',
      day: '2016-01-03',
      rate: '1504.891154588040782585',
      rates: [
        { source: 'prices', base: 'ACME', quote: 'USD', day: '2015-06-30', rate: '12.5' },
        { source: 'ecb', base: 'EUR', quote: 'USD', day: '2015-12-31', rate: '1.0887' },
        { source: 'ecb', base: 'EUR', quote: 'JPY', day: '2015-12-31', rate: '131.07' },
      ],
      amount: '700',
      places: 2,
      result: '10534',
      to_places: 0,
    })
  })
  it('has a rate until it counts no longer', async () => {
    expect((await get('from=USD&to=EUR&day=2016-01-07')).status).to.equal(200)
    const { status, error } = await get('from=USD&to=EUR&day=2016-01-08')
    expect([status, error.code]).to.deep.equal([404, 'rate_unknown'])
    expect((await get('from=USD&to=EUR&day=2015-12-30')).status).to.equal(404)
    expect((await get('from=ACME&to=USD&day=2016-06-30')).status).to.equal(200)
  })
  it('takes rates of named tables alone', async () => {
    expect((await get('from=ACME&to=USD&day=2015-12-31&source=prices,ecb')).status).to.equal(200)
    expect((await get('from=ACME&to=USD&day=2015-12-31&source=ecb')).status).to.equal(404)
  })
  it('takes the rate that was recorded last, and as of a position that of then', async () => {
    const before = last
    const other = [{ day: '2015-12-31', base: 'EUR', quote: 'USD', rate: '2' }]
    await send('PUT', '/rate-tables/ecb/rates', { rates: other })
    const rateOf = async (more = '') => (await get(`from=EUR&to=USD&day=2015-12-31${more}`)).data.rate
    expect(await rateOf()).to.equal('2')
    expect(await rateOf(`&as_of=${before}`)).to.equal('1.0887')
    const history = await client.call('GET', '/api/v1/kwlt/rate-tables/ecb/rates?quote=USD')
    expect(history.body.data.map(({ rate }: { rate: string }) => rate)).to.deep.equal(['1.0887', '2'])
  })
  it('has the rate of the day before where one is withdrawn, and as of a position that of then', async () => {
    const rates = [
      { day: '2014-06-02', base: 'GBP', quote: 'USD', rate: '1.6' },
      { day: '2014-06-03', base: 'GBP', quote: 'USD', rate: '16' },
    ]
    await send('PUT', '/rate-tables/ecb/rates', { rates })
    const before = last
    const withdraw = async (day: string) => {
      const path = `/api/v1/kwlt/rate-tables/ecb/rates/GBP/USD/${day}`
      const { status, headers, body } = await client.call('DELETE', path, { body: { reason: 'Point is missing' } })
      last = String(headers['kogi-position'] ?? last)
      return [status, body?.error.code]
    }
    expect(await withdraw('2014-06-03')).to.deep.equal([204, undefined])
    expect(await withdraw('2014-06-03')).to.deep.equal([204, undefined])
    expect(await withdraw('2014-06-04')).to.deep.equal([422, 'rate_not_recorded'])
    const rateOf = async (more = '') => (await get(`from=GBP&to=USD&day=2014-06-03${more}`)).data?.rate
    expect(await rateOf()).to.equal('1.6')
    expect(await rateOf(`&as_of=${before}`)).to.equal('16')
    await send('PUT', '/rate-tables/ecb/rates', { rates: rates.slice(1) })
    expect(await rateOf()).to.equal('16')
    await withdraw('2014-06-03')
    await withdraw('2014-06-02')
    expect((await get('from=GBP&to=USD&day=2014-06-03')).status).to.equal(404)
  })
  it('says what is missing', async () => {
    const code = async (query: string) => {
      const { status, error } = await get(query)
      return [status, error.details[0].field]
    }
    expect(await code('from=USD')).to.deep.equal([400, 'to'])
    expect(await code('to=USD')).to.deep.equal([400, 'from'])
    expect(await code('from=ACME&to=USD&amount=1&day=2016-01-01')).to.deep.equal([400, 'places'])
    expect(await code('from=EUR&to=USD&amount=1.5')).to.deep.equal([400, 'amount'])
    expect(await code('from=EUR&to=USD&places=19')).to.deep.equal([400, 'places'])
  })
  it('is of one organization', async () => {
    const other = await app.clientOf('others')
    const { status } = await other.call('GET', '/api/v1/kwlt/exchange?from=EUR&to=USD&day=2015-12-31')
    expect(status).to.equal(404)
  })

  it('converts money by a rate, shows the rate and the rounding, and can be taken back', async () => {
    await send('POST', '/wallets', { id: 'purse', kind: 'personal' })
    for (const [account, currency] of [
      ['euros', 'EUR'],
      ['dollars', 'USD'],
    ]) {
      await send('POST', '/wallets/purse/accounts', { account, currency, overdraft: 'allowed' })
    }
    const from = { from_account: 'euros', from_currency: 'EUR', amount: '10001' }
    const to = { to_account: 'dollars', to_currency: 'USD', rate: '1.0887', rate_source: 'ecb' }
    const { body, headers } = await send('POST', '/wallets/purse/conversions', { ...from, ...to })
    const read = async (path: string) => {
      const answer = await client.call('GET', path, { headers: { 'Kogi-Min-Position': last } })
      expect(answer.status, JSON.stringify(answer.body)).to.equal(200)
      return answer.body.data
    }
    const entry = await read(String(headers.location))
    expect(entry.kind).to.equal('conversion')
    expect(entry.conversion).to.deep.equal({ base: 'EUR', quote: 'USD', rate: '1.0887', source: 'ecb' })
    const balances = async () => {
      const rows = await read('/api/v1/kwlt/wallets/purse/accounts')
      return rows.map(({ currency, balance, places }: Record<string, string>) => [currency, balance, places])
    }
    expect(await balances()).to.deep.equal([
      ['USD', '10888', 2],
      ['EUR', '-10001', 2],
    ])
    const rounding = '/api/v1/kwlt/wallets/purse/accounts/external%3Arounding/statement?currency=USD'
    const { closing, places } = await read(rounding)
    expect([closing, places]).to.deep.equal(['887', 6])
    const totals = (await read('/api/v1/kwlt/wallets/purse/trial-balance')).totals
    for (const { debit, credit, in_transit } of totals) expect([debit, in_transit]).to.deep.equal([credit, '0'])

    await send('POST', `/wallets/purse/entries/${body.data.events[0].data.entry}/reverse`, {})
    expect((await balances()).map(([, balance]: string[]) => balance)).to.deep.equal(['0', '0'])
    expect((await read(rounding)).closing).to.equal('0')
  })
})
