import { expect } from 'chai'
import { type App, startApp } from '../support/app.ts'
import type { Client } from '../support/client.ts'

const KWLT = '/api/v1/kwlt'

describe('reads of the wallet over HTTP', () => {
  let app: App
  let client: Client
  let last = '0'

  before(async () => {
    app = await startApp()
    client = await app.clientOf('okonjo')
    await send('/wallets', { id: 'studio', kind: 'business' })
    await send('/wallets/studio/accounts', { account: 'bank', currency: 'EUR', overdraft: 'allowed' })
    await send('/wallets/studio/accounts', { account: 'empty', currency: 'EUR', overdraft: 'allowed' })
    const about = { tags: ['menu'], metadata: { invoice: '17', paid: true, lines: 3 } }
    await send('/wallets/studio/credits', { account: 'bank', currency: 'EUR', amount: '500', ...about })
    await send('/wallets/studio/debits', { account: 'bank', currency: 'EUR', amount: '20', metadata: { invoice: 18 } })
  })
  after(() => app?.close())

  async function send(path: string, body: object, by = client) {
    const answer = await by.call('POST', `${KWLT}${path}`, { body })
    expect([200, 201], JSON.stringify(answer.body)).to.include(answer.status)
    last = String(answer.headers['kogi-position'])
    return answer.body.data
  }
  const get = (path: string, by = client) => by.call('GET', path, { headers: { 'Kogi-Min-Position': last } })
  const codeOf = async (path: string, by = client) => {
    const { status, body } = await get(path, by)
    return [status, body.error?.code]
  }

  it('write books of an account that is there, of no other, and of one alone in no format of many', async () => {
    const book = (query: string) => codeOf(`${KWLT}/books?wallet=studio&currency=EUR&${query}`)
    for (const format of ['camt', 'ofx', 'csv', 'pdf']) {
      const { status } = await get(`${KWLT}/books?wallet=studio&currency=EUR&account=empty&format=${format}`)
      expect(status, format).to.equal(200)
      expect(await book(`account=ghost&format=${format}`), format).to.deep.equal([404, 'not_found'])
    }
    for (const format of ['hledger', 'ledger', 'beancount']) {
      expect(await book(`account=bank&format=${format}`), format).to.deep.equal([400, 'invalid_parameter'])
    }
    expect(await book('format=csv')).to.deep.equal([422, 'export_impossible'])
  })

  it('find entries by their tags and by members of their metadata', async () => {
    const found = async (query: string) => {
      const { status, body } = await get(`${KWLT}/wallets/studio/entries?${query}`)
      return status === 200 ? body.data.map(({ kind }: { kind: string }) => kind) : body.error.code
    }
    expect(await found('tags=menu')).to.deep.equal(['credit'])
    expect(await found('metadata=invoice%3D17')).to.deep.equal(['credit'])
    expect(await found('metadata=invoice%3D17,invoice%3D18')).to.deep.equal(['credit', 'debit'])
    expect(await found('metadata=paid%3Dtrue')).to.deep.equal(['credit'])
    expect(await found('metadata=invoice%3D1')).to.deep.equal([])
    expect(await found('metadata=invoice')).to.equal('invalid_parameter')
    expect(await found('metadata%5Babsent%5D=true')).to.deep.equal([])
  })

  it('take no day of a year that the calendar does not have', async () => {
    const body = { account: 'bank', currency: 'EUR', amount: '1', effective_on: '0000-01-01' }
    const { status, body: answer } = await client.call('POST', `${KWLT}/wallets/studio/credits`, { body })
    expect([status, answer.error.details]).to.deep.equal([
      400,
      [{ field: 'effective_on', message: 'must be of the year 0001 or later' }],
    ])
    const path = `${KWLT}/wallets/studio/accounts/bank/end-of-day?currency=EUR&from=0000-01-01`
    expect(await codeOf(path)).to.deep.equal([400, 'invalid_parameter'])
  })

  it('say in plain words what is wrong with a body', async () => {
    const fault = async (body: object) => {
      const answer = await client.call('POST', `${KWLT}/wallets/studio/credits`, { body })
      return answer.body.error.details.map(({ field, message }: Record<string, string>) => `${field} ${message}`)
    }
    const good = { account: 'bank', currency: 'EUR', amount: '1' }
    expect(await fault({ ...good, account: 7, kind: 'gift', tags: 'x' })).to.deep.equal([
      'account must be a text',
      'kind must be credit, debit, journal, transfer, fee, interest, adjustment or conversion',
      'tags must be a list',
    ])
    expect(await fault({ ...good, description: 'x\ud800' })).to.deep.equal([
      'description must not hold half a character: an unpaired surrogate, as \\ud83d alone',
    ])
    expect(await fault({ ...good, description: 'x\0' })).to.deep.equal(['description must not hold U+0000'])
  })

  it('count for the net worth what the caller may use', async () => {
    const lead = await app.clientOf('okonjo', 'team-lead', 'lea')
    const total = async (by: Client, more = '') =>
      (await get(`${KWLT}/net-worth?currency=EUR${more}`, by)).body.data?.total
    const before = await total(lead)
    expect(before).to.equal('480')
    await send('/wallets/studio/users', { user: 'jon', right: 'post' })
    expect(await total(lead)).to.equal('0')
    expect(await codeOf(`${KWLT}/net-worth?currency=EUR&wallet=studio`, lead)).to.deep.equal([403, 'forbidden'])
    expect(await total(client)).to.equal('480')
    await send('/wallets/studio/users', { user: 'lea', right: 'post' })
    expect([await total(lead), await total(lead, '&wallet=studio')]).to.deep.equal(['480', '480'])
  })

  it('take the whole URL as the target of a request', async () => {
    for (const path of [`${KWLT}/wallets/studio`, '/health/live', '/openapi.json']) {
      expect((await get(`http://example.org${path}`)).status, path).to.equal((await get(path)).status)
    }
    expect((await get('http://example.org')).status).to.equal((await get('/')).status)
  })

  it('answer a malformed If-Match as commands do, and `If-None-Match: *` by what is there', async () => {
    const conditional = async (path: string, headers: Record<string, string>) =>
      (await client.call('GET', `${KWLT}${path}`, { headers })).status
    for (const given of ['x', '"1', '1', '']) {
      const statuses = [await conditional('/wallets/studio', { 'If-Match': given })]
      const change = { body: { holder: 'Mira' }, headers: { 'If-Match': given } }
      statuses.push((await client.call('PATCH', `${KWLT}/wallets/studio`, change)).status)
      expect(statuses, given).to.deep.equal([400, 400])
    }
    expect(await conditional('/wallets/studio', { 'If-Match': '"999"' })).to.equal(412)
    for (const path of ['/wallets/studio', '/wallets', '/wallets/studio/entries', '/trial-balance']) {
      expect(await conditional(path, { 'If-None-Match': '*' }), path).to.equal(304)
    }
    expect(await conditional('/wallets/ghost', { 'If-None-Match': '*' })).to.equal(404)
  })
})
