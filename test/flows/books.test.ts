import { setTimeout as sleep } from 'node:timers/promises'
import { expect } from 'chai'
import pg from 'pg'
import { tableOf } from '../../projections/rows/tables.ts'
import { wallets } from '../../projections/wallet/wallets.ts'
import { type App, startApp } from '../support/app.ts'
import type { Answer, Client } from '../support/client.ts'
import { patient } from '../support/pace.ts'

describe('the whole system over HTTP', () => {
  let app: App
  let mira: Client
  let position = '0'

  before(async () => {
    app = await startApp({ env: { KOGI_APPEND_TIMEOUT_MS: '1000' } })
    mira = await app.clientOf('okonjo')
  })
  after(() => app?.close())

  async function send(method: string, path: string, body?: unknown, headers: Record<string, string> = {}) {
    const answer = await mira.call(method, `/api/v1${path}`, { body, headers })
    if (answer.headers['kogi-position']) position = String(answer.headers['kogi-position'])
    return answer
  }
  const read = (path: string, as = mira) =>
    as.call('GET', `/api/v1${path}`, { headers: { 'Kogi-Min-Position': position } })
  const expectStatus = (status: number, answer: Answer) =>
    expect(answer.status, JSON.stringify(answer.body)).to.equal(status)

  it('opens a wallet, posts entries, and shows balances and a statement', async () => {
    expectStatus(201, await send('POST', '/kwlt/wallets', { id: 'studio', kind: 'business', holder: 'Mira Okonjo' }))
    const account = { account: 'checking', currency: 'EUR', overdraft: 'refused' }
    expectStatus(201, await send('POST', '/kwlt/wallets/studio/accounts', account))
    const entry = { account: 'checking', currency: 'EUR', amount: '1500', effectiveOn: '2026-03-01' }
    expectStatus(201, await send('POST', '/kwlt/wallets/studio/credits', { ...entry, counterparty: 'external:client' }))
    expectStatus(201, await send('POST', '/kwlt/wallets/studio/debits', { ...entry, amount: '400' }))
    const { body } = await read('/kwlt/wallets/studio/accounts/checking/EUR')
    expect(body.data).to.include({ balance: '1100', wallet: 'studio', places: 2 })
    const statement = await read('/kwlt/wallets/studio/accounts/checking/statement?currency=EUR')
    expect(
      statement.body.data.lines.map(({ amount, balance }: { amount: string; balance: string }) => [amount, balance]),
    ).to.deep.equal([
      ['1500', '1500'],
      ['-400', '1100'],
    ])
  })

  it('answers as of a moment ago once all of it is known, and the same when asked again later', async () => {
    const moment = new Date().toISOString()
    const balance = () => read(`/kwlt/wallets/studio/accounts/checking/EUR?as_of=${moment}&wait=20000`)
    const first = await balance()
    expectStatus(200, first)
    expect([first.body.data.balance, first.body.meta.as_of]).to.deep.equal(['1100', position])
    const entry = { account: 'checking', currency: 'EUR', amount: '5' }
    for (const direction of ['credits', 'debits']) {
      expectStatus(201, await send('POST', `/kwlt/wallets/studio/${direction}`, entry))
      expect((await balance()).body.data).to.deep.equal(first.body.data)
    }
  })

  it('answers of moments while commands queue for one wallet, and never otherwise later', async function busy() {
    this.timeout(120_000)
    const entry = { account: 'checking', currency: 'EUR', amount: '1' }
    const sending = Promise.all(Array.from({ length: 300 }, () => send('POST', '/kwlt/wallets/studio/credits', entry)))
    let done = false
    void sending.finally(() => {
      done = true
    })
    const asked: Promise<readonly [string, string]>[] = []
    const ask = async (moment: string) => {
      const answer = await mira.call('GET', `/api/v1/kwlt/entries?limit=1&as_of=${moment}&wait=20000`)
      expectStatus(200, answer)
      return [moment, answer.body.meta.as_of as string] as const
    }
    while (!done) {
      asked.push(ask(new Date().toISOString()))
      await sleep(100)
    }
    const answers = await Promise.all(asked)
    for (const answer of answers) expect(await ask(answer[0])).to.deep.equal(answer)
    for (const receipt of await sending) expectStatus(201, receipt)
    const back = { ...entry, amount: '300' }
    expectStatus(201, await send('POST', '/kwlt/wallets/studio/debits', back))
  })

  it('answers a refused command with the rule and its numbers, and writes nothing', async () => {
    const before = (await read('/kwlt/wallets/studio/accounts/checking/EUR')).body
    const body = { account: 'checking', currency: 'EUR', amount: '999999' }
    const refused = await send('POST', '/kwlt/wallets/studio/debits', body)
    expectStatus(422, refused)
    expect(refused.body.error.code).to.equal('insufficient_funds')
    expect(refused.body.error.details).to.deep.include({ field: 'available', message: '1100' })
    expect((await read('/kwlt/wallets/studio/accounts/checking/EUR')).body.data).to.deep.equal(before.data)
  })

  it('takes the same key once, whatever the number of tries, and refuses it for another body', async () => {
    const body = { account: 'checking', currency: 'EUR', amount: '7' }
    const key = { 'Idempotency-Key': 'seven' }
    const tries = await Promise.all([1, 2, 3, 4].map(() => send('POST', '/kwlt/wallets/studio/credits', body, key)))
    expect(new Set(tries.map(({ body }) => body.data.position)).size).to.equal(1)
    expect(tries.filter(({ body }) => !body.data.replayed)).to.have.length(1)
    const other = await send('POST', '/kwlt/wallets/studio/credits', { ...body, amount: '8' }, key)
    expectStatus(422, other)
    expect(other.body.error.code).to.equal('idempotency_key_reused')
    expect((await read('/kwlt/wallets/studio/accounts/checking/EUR')).body.data.balance).to.equal('1107')
  })

  it('derives the id of a thing without a given name from the key, so that a retry finds it', async () => {
    const key = { 'Idempotency-Key': 'unnamed-1' }
    const [first, second] = [
      await send('POST', '/kbfc/items', { name: 'Unnamed' }, key),
      await send('POST', '/kbfc/items', { name: 'Unnamed' }, key),
    ]
    expect(first.body.data.id).to.equal(second.body.data.id)
    expect(second.body.data.replayed).to.equal(true)
    expect(first.headers.location).to.equal(`/api/v1/kbfc/items/${first.body.data.id}`)
    expectStatus(200, await read(`/kbfc/items/${first.body.data.id}`))
  })

  it('takes a command only at the revision the caller has seen', async () => {
    expectStatus(201, await send('POST', '/kctr/tasks', { id: 'brief', name: 'Write the brief' }))
    const seen = (await read('/kctr/tasks/brief')).headers.etag as string
    expectStatus(200, await send('PUT', '/kctr/tasks/brief/status', { status: 'started' }, { 'If-Match': seen }))
    const late = await send('PUT', '/kctr/tasks/brief/status', { status: 'dropped' }, { 'If-Match': seen })
    expectStatus(412, late)
    expect((await read('/kctr/tasks/brief')).body.data.status).to.equal('started')
  })

  it('writes no event where nothing changes', async () => {
    const again = await send('PUT', '/kctr/tasks/brief/status', { status: 'started' })
    expectStatus(200, again)
    expect(again.body.data.events).to.have.length(0)
    expect(again.body.data.revision).to.equal('1')
  })

  it('archives with 204 and keeps the receipt in the headers', async () => {
    expectStatus(201, await send('POST', '/kbfc/items', { id: 'old', name: 'Old site' }))
    const gone = await send('DELETE', '/kbfc/items/old')
    expectStatus(204, gone)
    expect(gone.headers.etag).to.equal('"1"')
    expect((await read('/kbfc/items/old')).body.data.state).to.equal('archived')
  })

  it('finds what it remembers by its words, stemmed and with accents folded', async () => {
    expectStatus(201, await send('POST', '/kbfc/items', { id: 'menu', name: 'Menus for a Café' }))
    const { body } = await read('/kse/memories/search?q=cafe%20menu')
    expect(body.data[0].subject).to.equal('menu')
  })

  it('keeps personal data sealed in log and rows, and opens it in answers', async () => {
    const { body } = await read('/kwlt/wallets/studio')
    expect(body.data.holder).to.equal('Mira Okonjo')
    const database = new pg.Client({ connectionString: app.urls.databaseUrl })
    await database.connect()
    try {
      const { rows } = await database.query(`select holder from ${tableOf(wallets)} where id = 'studio'`)
      expect(rows[0].holder).to.have.all.keys(['key', 'nonce', 'text', 'digest'])
      expect(JSON.stringify(rows)).to.not.include('Okonjo')
    } finally {
      await database.end()
    }
  })

  it('reads null, and says erased, where a person was erased', async () => {
    await send('POST', '/kwlt/wallets', { id: 'gone', owner: 'leaver', kind: 'personal', holder: 'Leaving Person' })
    const erasure = { subject: 'leaver', basis: 'consent_withdrawn', reason: 'Asked for it' }
    expectStatus(200, await send('POST', '/kmg/erasures', erasure))
    let data = {}
    // What was read before may be kept for some seconds.
    for (const until = Date.now() + patient(15_000); !('erased' in data) && Date.now() < until; await sleep(100)) {
      data = (await read('/kwlt/wallets/gone')).body.data
    }
    expect(data).to.deep.include({ holder: null, erased: true })
  })

  it('shows nothing of one organization to another', async () => {
    const other = await app.clientOf('other-org')
    for (const path of ['/kwlt/wallets/studio', '/kctr/tasks/brief', '/kwlt/wallets/studio/accounts']) {
      const { status } = await other.call('GET', `/api/v1${path}`)
      expect(status, path).to.equal(404)
    }
    const command = await other.call('POST', '/api/v1/kwlt/wallets/studio/close', { body: {} })
    expect(command.status).to.equal(404)
    expect((await other.call('GET', '/api/v1/kse/memories/search?q=cafe')).body.data).to.have.length(0)
  })

  it('finds nothing for a caller that may not read it elsewhere', async () => {
    const contributor = await app.clientOf('okonjo', 'contributor')
    const search = (query: string) => contributor.call('GET', `/api/v1/kse/memories/search?${query}`)
    const studio = { account: 'checking', currency: 'EUR', amount: '1', description: 'Secret invoice' }
    expectStatus(201, await send('POST', '/kwlt/wallets/studio/credits', studio))
    expect((await read('/kse/memories/search?q=secret')).body.data).to.have.length(1)
    expect((await contributor.call('GET', '/api/v1/kwlt/entries')).status).to.equal(403)
    expect((await search('q=secret')).body.data).to.have.length(0)
    expect((await search('q=secret&kind=entry')).status).to.equal(403)
    expect((await search('q=menu')).body.data).to.have.length(1)
  })

  it('refuses callers without permission or token', async () => {
    const viewer = await app.clientOf('okonjo', 'viewer')
    expect((await viewer.call('POST', '/api/v1/kctr/tasks', { body: { name: 'x' } })).status).to.equal(403)
    const { status } = await fetch(`${app.url}/api/v1/kctr/tasks`)
    expect(status).to.equal(401)
  })

  it('is ready, live, measured and documented', async () => {
    for (const path of ['/health/live', '/health/ready', '/metrics', '/openapi.json', '/docs']) {
      const answer = await fetch(app.url + path)
      expect(answer.status, `${path}: ${await answer.text()}`).to.equal(200)
    }
  })
})
