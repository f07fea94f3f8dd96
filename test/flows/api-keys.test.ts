import { setTimeout as sleep } from 'node:timers/promises'
import { expect } from 'chai'
import pg from 'pg'
import { openStream, type Stream } from '../live/clients.ts'
import { type App, startApp } from '../support/app.ts'
import { type Answer, type Client, client } from '../support/client.ts'

const reason = 'So it is.'

describe('an API key', function () {
  this.timeout(60_000)
  let app: App
  let mira: Client
  const opened: Client[] = []

  before(async () => {
    app = await startApp()
    mira = await app.clientOf('bluebird', 'organization-admin', 'mira')
    await done(mira, 'POST', '/kbs/organization', { name: 'Bluebird' })
    await done(mira, 'POST', '/kbs/members', { user: 'till', roles: ['contributor'], reason })
  })
  after(async () => {
    for (const each of opened) each.close()
    await app?.close()
  })

  const send = (by: Client, method: string, path: string, body?: object, headers = {}): Promise<Answer> =>
    by.call(method, `/api/v1${path}`, { body, headers })
  async function done(by: Client, method: string, path: string, body?: object, headers = {}): Promise<Answer> {
    const answer = await send(by, method, path, body, headers)
    expect(answer.status, `${method} ${path} ${JSON.stringify(answer.body)}`).to.be.below(300)
    return answer
  }
  const codeOf = ({ status, body }: Answer) => (status < 300 ? status : body.error.code)
  const bearer = (secret: string): Client => {
    const made = client(app.url, secret)
    opened.push(made)
    return made
  }
  const make = async (key: string, more: object = {}): Promise<string> => {
    const body = { key, name: 'Till', owner: 'till', scopes: ['office.*', 'wallet.*'], reason, ...more }
    return (await done(mira, 'POST', '/kbs/api-keys', body)).body.data.api_key
  }
  const note = (by: Client) => send(by, 'POST', '/koff/notes', { title: 'By a key' })

  it('acts as its owner, narrowed to its scopes, and is shown once', async () => {
    const body = { key: 'till', name: 'Till', owner: 'till', scopes: ['office.*', 'wallet.*'], reason }
    const headers = { 'Idempotency-Key': 'make-till' }
    const first = await done(mira, 'POST', '/kbs/api-keys', body, headers)
    const secret = first.body.data.api_key
    expect(secret).to.match(/^kogi_[\w-]{43}$/)
    const again = await done(mira, 'POST', '/kbs/api-keys', body, headers)
    expect(again.body.data).to.include({ replayed: true }).and.not.have.any.keys('api_key')
    const server = bearer(secret)
    expect(codeOf(await note(server))).to.equal(201)
    expect(codeOf(await send(server, 'POST', '/kctr/tasks', { name: 'Beyond its scopes' }))).to.equal('forbidden')
    expect(codeOf(await send(server, 'GET', '/kwlt/wallets'))).to.equal('forbidden')
    const position = String(again.headers['kogi-position'])
    const { body: list } = await send(mira, 'GET', '/kbs/api-keys', undefined, { 'kogi-min-position': position })
    expect(list.data[0]).to.include({ id: 'till', owner: 'till', status: 'active', generation: 1 })
  })

  it('is nowhere in the log, and in the database of the keys by its digest alone, with its last use', async () => {
    const secret = await make('quiet')
    await note(bearer(secret))
    const log = await send(mira, 'GET', '/kmg/audit-log?limit=500&wait=5000')
    expect(log.status).to.equal(200)
    expect(JSON.stringify(log.body)).to.not.include(secret.slice(5))
    const keys = new pg.Client(app.urls.keysDatabaseUrl)
    await keys.connect()
    try {
      const used = async () => (await keys.query(`select * from api_keys where key = 'quiet'`)).rows[0]
      for (let tries = 0; (await used()).used_at === null && tries < 100; tries += 1) await sleep(20)
      const row = await used()
      expect(row.digest).to.have.length(32)
      expect(row.used_at).to.be.instanceOf(Date)
      expect(JSON.stringify(row)).to.not.include(secret.slice(5))
    } finally {
      await keys.end()
    }
  })

  it('is rotated with an overlap, and without one', async () => {
    const first = await make('turning')
    const rotate = async (overlap_hours: number) =>
      (await done(mira, 'POST', '/kbs/api-keys/turning/rotate', { overlap_hours, reason })).body.data.api_key
    const second = await rotate(1)
    expect(second).to.not.equal(first)
    for (const secret of [first, second]) expect(codeOf(await note(bearer(secret)))).to.equal(201)
    const third = await rotate(0)
    for (const secret of [first, second]) expect(codeOf(await note(bearer(secret)))).to.equal('invalid_token')
    expect(codeOf(await note(bearer(third)))).to.equal(201)
  })

  it('ends when it is revoked, at its time, and with its owner, from the next request on', async () => {
    const revoked = bearer(await make('revoked'))
    expect(codeOf(await note(revoked))).to.equal(201)
    await done(mira, 'DELETE', '/kbs/api-keys/revoked', { reason })
    expect(codeOf(await note(revoked))).to.equal('invalid_token')
    const soon = new Date(Date.now() + 1_500).toISOString()
    const short = bearer(await make('short', { expires_at: soon }))
    expect(codeOf(await note(short))).to.equal(201)
    await sleep(Math.max(0, Date.parse(soon) - Date.now()) + 20)
    expect(codeOf(await note(short))).to.equal('invalid_token')
    const last = bearer(await make('last'))
    await done(mira, 'POST', '/kbs/members/till/suspend', { reason })
    expect(codeOf(await note(last))).to.equal('account_suspended')
    await done(mira, 'DELETE', '/kbs/members/till', { reason })
    expect(codeOf(await note(last))).to.equal('not_a_member')
  })

  it('ends its open streams with it, however its scheme is written', async () => {
    await done(mira, 'POST', '/kbs/members', { user: 'door', roles: ['contributor'], reason })
    const listen = async (key: string, scheme: string) => {
      const secret = await make(key, { owner: 'door' })
      return openStream(app.url, secret, '', { authorization: `${scheme} ${secret}` })
    }
    const streams = [await listen('cut', 'bearer'), await listen('turned', 'BEARER'), await listen('kept', 'Bearer')]
    const [cut, turned, kept] = streams as [Stream, Stream, Stream]
    try {
      expect(streams.map(({ status }) => status)).to.deep.equal([200, 200, 200])
      await done(mira, 'DELETE', '/kbs/api-keys/cut', { reason })
      await done(mira, 'POST', '/kbs/api-keys/turned/rotate', { overlap_hours: 0, reason })
      for (const ended of [cut, turned]) {
        await ended.until(ended.isOver)
        expect(ended.frames.at(-1)!.data).to.include('access_changed')
      }
      expect(kept.isOver()).to.equal(false)
    } finally {
      for (const each of streams) each.close()
    }
  })

  it('that there is not is a token that is not valid', async () => {
    for (const secret of [`kogi_${'a'.repeat(43)}`, 'kogi_', 'kogi_x', `kogi_${'a'.repeat(42)}!`]) {
      const answer = await note(bearer(secret))
      expect([answer.status, codeOf(answer)], secret).to.deep.equal([401, 'invalid_token'])
    }
  })
})
