/** Settings, flags, quotas, notices, maintenance and blocked organizations over HTTP. */
import { once } from 'node:events'
import { expect } from 'chai'
import WebSocket from 'ws'
import { issueToken } from '../../infra/auth/dev-keys.ts'
import { type App, startApp } from '../support/app.ts'
import type { Answer, Client } from '../support/client.ts'

const reason = 'So it is.'
type Said = { error: { code: string } }

describe('settings of the platform, the organization and the user', function () {
  this.timeout(60_000)
  let app: App
  let operator: Client
  let mira: Client
  let jon: Client
  before(async () => {
    app = await startApp()
    operator = await app.clientOf('operators', 'platform-admin', 'olga')
    mira = await app.clientOf('acme', 'organization-admin', 'mira')
    jon = await app.clientOf('acme', 'contributor', 'jon')
  })
  after(() => app?.close())

  const send = (by: Client, method: string, path: string, body?: object): Promise<Answer> =>
    by.call(method, `/api/v1/kmg${path}`, { body })
  const bearer = async (org: string): Promise<string> => {
    const who = { org, subject: 'mira', roles: ['organization-admin'], ttlSeconds: 600 }
    return `Bearer ${await issueToken(app.config, who)}`
  }
  const dav = async (method: string, org: string, path: string): Promise<Response> =>
    fetch(`${app.url}/dav${path}`, { method, headers: { authorization: await bearer(org), depth: '0' } })
  const codeOf = ({ status, body }: Answer) => (status < 300 ? status : body.error.code)
  async function done(by: Client, method: string, path: string, body?: object): Promise<Answer> {
    const answer = await send(by, method, path, body)
    expect(answer.status, `${method} ${path} ${JSON.stringify(answer.body)}`).to.be.below(300)
    return answer
  }
  const locale = async (by: Client, query = '') => {
    const { body } = await done(by, 'GET', `/settings${query}`)
    const { value, from } = body.data.find(({ key }: { key: string }) => key === 'locale')
    return `${value} ${from}`
  }

  it('count from the nearest that has said something, now and as of then', async () => {
    expect(await locale(jon)).to.equal('en default')
    await done(operator, 'PUT', '/platform/settings/locale', { value: 'fr', reason })
    expect(await locale(jon)).to.equal('fr platform')
    const german = await done(mira, 'PUT', '/settings/locale', { value: 'de', reason })
    expect(await locale(jon)).to.equal('de organization')
    await done(jon, 'PUT', '/own-settings/locale', { value: 'da' })
    expect([await locale(jon), await locale(mira)]).to.deep.equal(['da user', 'de organization'])
    const position = german.body.data.position
    expect(await locale(jon, `?as_of=${position}`)).to.equal('de organization')
    expect(await locale(jon, `?as_of=${BigInt(position) - 1n}`)).to.equal('fr platform')
    expect(await locale(jon, '?as_of=2020-01-01T00:00:00Z')).to.equal('en default')
    expect(codeOf(await send(jon, 'GET', '/settings?as_of=2999-01-01T00:00:00Z'))).to.equal('as_of_beyond_head')
    expect(await locale(mira, '?user=jon')).to.equal('da user')
    expect(codeOf(await send(jon, 'GET', '/settings?user=mira'))).to.equal('forbidden')
    await done(jon, 'DELETE', '/own-settings/locale')
    expect(await locale(jon)).to.equal('de organization')
    expect(await locale(await app.clientOf('globex', 'viewer', 'jon'))).to.equal('fr platform')
  })

  it('are set by those who may', async () => {
    const body = { value: 'de', reason }
    expect(codeOf(await send(jon, 'PUT', '/settings/locale', body))).to.equal('forbidden')
    for (const path of ['settings/locale', 'maintenance', 'quotas/requests_per_day', 'organizations/acme/block']) {
      expect(codeOf(await send(mira, 'PUT', `/platform/${path}`, body)), path).to.equal('forbidden')
    }
    expect(codeOf(await send(mira, 'GET', '/platform/acts'))).to.equal('forbidden')
    const { body: acts } = await done(operator, 'GET', '/platform/acts')
    expect(acts.data.at(-1)).to.include({ type: 'PlatformSettingSet', by: 'olga' })
  })

  it('turn features on for some, and the organization decides before the platform', async () => {
    const flags = async (by: Client) => (await done(by, 'GET', '/flags')).body.data
    await done(operator, 'PUT', '/platform/flags/board', { percent: 100, reason })
    expect(await flags(jon)).to.deep.equal([{ flag: 'board', on: true, percent: 100, from: 'platform' }])
    await done(mira, 'PUT', '/flags/board', { percent: 0, users: ['mira'] })
    expect([(await flags(jon))[0].on, (await flags(mira))[0].on]).to.deep.equal([false, true])
    await done(mira, 'DELETE', '/flags/board')
    expect((await flags(jon))[0]).to.include({ on: true, from: 'platform' })
  })

  it('limit organizations by quotas', async () => {
    const quotas = async (by: Client) => (await done(by, 'GET', '/quotas')).body.data.map(({ limit }: never) => limit)
    await done(operator, 'PUT', '/platform/quotas/requests_per_day', { limit: 1_000_000, reason })
    await done(operator, 'PUT', '/platform/organizations/acme/quotas/requests_per_minute', { limit: 90_000, reason })
    expect(await quotas(jon)).to.deep.equal([90_000, 1_000_000])
    expect(await quotas(await app.clientOf('globex', 'viewer'))).to.deep.equal([null, 1_000_000])
  })

  it('refuse commands during maintenance with a time to come back, and answer reads', async () => {
    const until = new Date(Date.now() + 600_000).toISOString()
    await done(operator, 'PUT', '/platform/maintenance', { message: 'The databases are moved.', until, reason })
    const refused = await mira.call('POST', '/api/v1/koff/notes', { body: { title: 'x' } })
    expect([refused.status, codeOf(refused)]).to.deep.equal([503, 'maintenance'])
    expect(Number(refused.headers['retry-after'])).to.be.within(590, 600)
    expect(refused.body.error.details[0].message).to.equal('The databases are moved.')
    expect((await mira.call('GET', '/api/v1/koff/notes')).status).to.equal(200)
    const { body } = await done(jon, 'GET', '/notices')
    expect(body.data.maintenance).to.include({ message: 'The databases are moved.', until })
    for (const path of ['sign-in', 'sign-up', 'recover', 'oauth/token']) {
      const answer = await fetch(`${app.url}/api/v1/kbs/${path}`, { method: 'POST' })
      expect([answer.status, ((await answer.json()) as Said).error.code], path).to.deep.equal([503, 'maintenance'])
    }
    const calendar = await dav('MKCALENDAR', 'acme', '/calendars/work/')
    expect(calendar.status).to.equal(503)
    expect(Number(calendar.headers.get('retry-after'))).to.be.within(500, 600)
    expect((await dav('PROPFIND', 'acme', '/')).status).to.equal(207)
    await done(operator, 'DELETE', '/platform/maintenance')
    expect((await mira.call('POST', '/api/v1/koff/notes', { body: { title: 'x' } })).status).to.equal(201)
  })

  it('tell users something for a while', async () => {
    const until = new Date(Date.now() + 60_000).toISOString()
    const over = new Date(Date.now() - 60_000).toISOString()
    await done(operator, 'POST', '/platform/announcements', { announcement: 'now', message: 'Moving.', until })
    await done(operator, 'POST', '/platform/announcements', { announcement: 'later', message: 'Soon.', from: until })
    await done(operator, 'POST', '/platform/announcements', { announcement: 'over', message: 'Was.', until: over })
    const shown = async () => (await done(jon, 'GET', '/notices')).body.data.announcements
    expect((await shown()).map(({ announcement }: never) => announcement)).to.deep.equal(['now'])
    await done(operator, 'DELETE', '/platform/announcements/now')
    expect(await shown()).to.deep.equal([])
  })

  it('refuse all requests of a blocked organization, but those of operators', async () => {
    const stream = await fetch(`${app.url}/api/v1/events`, { headers: { authorization: await bearer('globex') } })
    await done(operator, 'PUT', '/platform/organizations/globex/block', { reason })
    // What is open ends, and says why.
    expect(await stream.text()).to.include('"code":"access_changed"')
    expect((await dav('PROPFIND', 'globex', '/')).status).to.equal(403)
    const socket = new WebSocket(`${app.url.replace('http', 'ws')}/api/v1/ws`)
    await once(socket, 'open')
    socket.send(JSON.stringify({ type: 'auth', token: (await bearer('globex')).slice('Bearer '.length) }))
    expect(JSON.parse(String((await once(socket, 'message'))[0])).data.code).to.equal('organization_blocked')
    socket.close()
    const there = await app.clientOf('globex', 'organization-admin')
    expect(codeOf(await send(there, 'GET', '/settings'))).to.equal('organization_blocked')
    expect(codeOf(await send(await app.clientOf('globex', 'platform-admin'), 'GET', '/settings'))).to.equal(200)
    await done(operator, 'DELETE', '/platform/organizations/globex/block', { reason })
    expect(codeOf(await send(there, 'GET', '/settings'))).to.equal(200)
  })
})
