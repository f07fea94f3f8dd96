import { expect } from 'chai'
import { type App, startApp } from '../support/app.ts'
import type { Answer, Client } from '../support/client.ts'

const WALLET = '/api/v1/kwlt/wallets/till'
const eur = { account: 'main', currency: 'EUR' }

describe('holds over HTTP', function holdsOverHttp() {
  this.timeout(60_000)
  let app: App
  let client: Client
  let last: string
  before(async () => {
    app = await startApp()
    client = await app.clientOf('acme')
    expect((await send('', { id: 'till', kind: 'business' }, '/api/v1/kwlt/wallets')).status).to.equal(201)
    expect((await send('/accounts', { ...eur, overdraft: 'refused' })).status).to.equal(201)
    expect((await send('/credits', { ...eur, amount: '1000' })).status).to.equal(201)
  })
  after(() => app.close())

  async function send(path: string, body: object, base = WALLET): Promise<Answer> {
    const answer = await client.call('POST', `${base}${path}`, { body })
    last = String(answer.headers['kogi-position'] ?? last)
    return answer
  }
  async function read(path: string) {
    const { status, body } = await client.call('GET', `${WALLET}${path}`, { headers: { 'Kogi-Min-Position': last } })
    return { status, ...body }
  }
  const money = async () => {
    const { balance, held, available } = (await read('/accounts/main/EUR')).data
    return { balance, held, available }
  }

  it('set money aside, are captured in part, and released', async () => {
    expect((await send('/holds', { hold: 'deposit', ...eur, amount: '600' })).status).to.equal(201)
    expect(await money()).to.deep.equal({ balance: '1000', held: '600', available: '400' })
    const short = await send('/holds', { hold: 'more', ...eur, amount: '401' })
    expect([short.status, short.body.error.code]).to.deep.equal([422, 'insufficient_funds'])
    expect((await send('/holds', { hold: 'b/ü 2', ...eur, amount: '400' })).status).to.equal(201)

    const captured = await send('/holds/deposit/capture', { amount: '450', counterparty: 'external:shop' })
    expect([captured.status, captured.body.data.events.length]).to.deep.equal([200, 2])
    expect(await money()).to.deep.equal({ balance: '550', held: '400', available: '150' })
    const { entry } = (await read('/holds/deposit')).data
    const posted = await client.call('GET', `/api/v1/kwlt/entries/${entry}`)
    expect(posted.body.data.postings).to.deep.equal([
      { account: 'external:shop', currency: 'EUR', amount: '450' },
      { account: 'main', currency: 'EUR', amount: '-450' },
    ])

    expect((await send(`/holds/${encodeURIComponent('b/ü 2')}/release`, { reason: 'Not needed' })).status).to.equal(200)
    expect(await money()).to.deep.equal({ balance: '550', held: '0', available: '550' })
    const list = await read('/holds?status=released,captured')
    expect(list.data.map((row: Record<string, string>) => [row.hold, row.status, row.reason])).to.deep.equal([
      ['b/ü 2', 'released', 'Not needed'],
      ['deposit', 'captured', undefined],
    ])
  })

  it('end once, and are named by the path alone', async () => {
    const again = await send('/holds/deposit/capture', {})
    expect([again.status, again.body.error.code]).to.deep.equal([422, 'hold_captured'])
    const unknown = await send('/holds/never/release', {})
    expect([unknown.status, unknown.body.error.code]).to.deep.equal([422, 'hold_unknown'])
    const twice = await send('/holds/deposit/release', { hold: 'deposit' })
    expect([twice.status, twice.body.error.code]).to.deep.equal([400, 'invalid_body'])
    expect((await read('/holds/never')).status).to.equal(404)
    const bulk = await send(
      '/bulk',
      { commands: [{ command: 'wallet.release', id: 'till', body: { hold: 'b/ü 2' } }] },
      '/api/v1',
    )
    expect(bulk.body.data.results[0]).to.deep.include({ status: 200 })
  })
})
