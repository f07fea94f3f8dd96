/** The gateway before the whole system: tokens, API keys, quotas of operators, and certificates that are replaced. */
import { randomUUID } from 'node:crypto'
import { copyFile, mkdtemp, rm } from 'node:fs/promises'
import { request } from 'node:https'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import type { TLSSocket } from 'node:tls'
import { expect } from 'chai'
import { issueToken } from '../../infra/auth/dev-keys.ts'
import { ConfigError } from '../../infra/config.ts'
import { startGateway } from '../../infra/gateway/process.ts'
import { rateRulesOf } from '../../infra/gateway/settings.ts'
import { createLifecycle, type Lifecycle } from '../../infra/http/lifecycle.ts'
import { silentLog } from '../../infra/log.ts'
import { certificates } from '../infra/certificates.ts'
import { type App, startApp } from '../support/app.ts'
import type { Client } from '../support/client.ts'

const reason = 'So it is.'

describe('the gateway before the system', function () {
  this.timeout(60_000)
  let app: App
  let mira: Client
  const lifecycles: Lifecycle[] = []

  async function open(more: object = {}): Promise<string> {
    const lifecycle = createLifecycle({ log: silentLog, drainTimeoutMs: 1_000 })
    lifecycles.push(lifecycle)
    const behind = { gatewayCommands: app.url, gatewayReads: app.url, port: 0 }
    return startGateway({ config: { ...app.config, ...behind, ...more }, urls: app.urls, log: silentLog, lifecycle })
  }
  /** Asks through a gateway, as a client of the system itself. */
  const ask = (url: string, headers: Record<string, string>, body?: object) =>
    fetch(`${url}/api/v1/koff/notes`, {
      method: body ? 'POST' : 'GET',
      headers: { ...headers, ...(body && { 'content-type': 'application/json' }) },
      ...(body && { body: JSON.stringify(body) }),
    })
  const tokenOf = async (org: string, subject: string) => {
    const token = await issueToken(app.config, { org, subject, roles: ['organization-admin'], ttlSeconds: 600 })
    return { authorization: `Bearer ${token}` }
  }

  before(async () => {
    app = await startApp()
    mira = await app.clientOf('acme', 'organization-admin', 'mira')
  })
  after(async () => {
    for (const each of lifecycles) await each.stop('the test is over')
    await app?.close()
  })

  it('passes commands and reads on, and counts tokens of one user together', async () => {
    const url = await open({ rateLimits: rateRulesOf('caller=3/60,address=1/60') })
    expect((await fetch(`${url}/health/ready`)).status).to.equal(200)
    const [one, two] = [await tokenOf('acme', 'mira'), await tokenOf('acme', 'mira')]
    const made = await ask(url, { ...one, 'idempotency-key': randomUUID() }, { title: 'Through the gateway' })
    expect(made.status).to.equal(201)
    const position = made.headers.get('kogi-position')!
    const read = await ask(url, { ...two, 'kogi-min-position': position })
    expect(JSON.stringify(await read.json())).to.include('Through the gateway')
    expect(read.headers.get('ratelimit')).to.match(/^"caller";r=1;/)
    expect([(await ask(url, one)).status, (await ask(url, two)).status]).to.deep.equal([200, 429])
    // What is no token counts for its address, and the system says what is wrong with it.
    const forged = { authorization: `${one.authorization}x` }
    expect([(await ask(url, forged)).status, (await ask(url, forged)).status]).to.deep.equal([401, 429])
  })

  it('counts API keys, and lets an organization use what operators say', async () => {
    await mira.call('POST', '/api/v1/kbs/organization', { body: { name: 'Acme' } })
    const key = { key: 'till', name: 'Till', scopes: ['office.*'], reason }
    const { body } = await mira.call('POST', '/api/v1/kbs/api-keys', { body: key })
    const till = { authorization: `Bearer ${body.data.api_key}` }
    const operator = await app.clientOf('operators', 'platform-admin')
    const path = '/api/v1/kmg/platform/organizations/acme/quotas/requests_per_day'
    expect((await operator.call('PUT', path, { body: { limit: 2, reason } })).status).to.equal(200)
    const url = await open({ rateLimits: rateRulesOf('caller=100/60') })
    const answers = [await ask(url, till), await ask(url, till), await ask(url, till)]
    expect(answers.map(({ status }) => status)).to.deep.equal([200, 200, 429])
    expect(answers[0]!.headers.get('ratelimit-policy')).to.equal('"caller";q=100;w=60, "requests_per_day";q=2;w=86400')
    expect((await ask(url, await tokenOf('globex', 'mira'))).status).to.equal(200)
    // A key that was revoked counts for its address, and uses up nothing of the organization.
    expect((await mira.call('DELETE', '/api/v1/kbs/api-keys/till', { body: { reason } })).status).to.equal(204)
    const other = await open({ rateLimits: rateRulesOf('caller=100/60,address=1/60') })
    expect([(await ask(other, till)).status, (await ask(other, till)).status]).to.deep.equal([401, 429])
  })

  it('serves with a certificate, takes another one while it serves, and says when a version ends', async function () {
    const [first, second] = [await certificates(), await certificates()]
    if (!first || !second) return this.skip()
    const folder = await mkdtemp(path.join(tmpdir(), 'kogi-gateway-'))
    const [tlsCert, tlsKey] = [path.join(folder, 'cert.pem'), path.join(folder, 'key.pem')]
    const put = async (from: string) => {
      await copyFile(path.join(from, 'node.pem'), tlsCert)
      await copyFile(path.join(from, 'node.key'), tlsKey)
    }
    await put(first)
    const apiSunsets = [{ version: 'v1', since: '2027-01-31', ends: '2028-01-31' }]
    const url = await open({ tlsCert, tlsKey, apiSunsets })
    const shown = () =>
      new Promise<{ serial: string; headers: Record<string, unknown> }>((resolve, reject) => {
        const sent = request(`${url}/api/v1/koff/notes`, { rejectUnauthorized: false, agent: false }, answer => {
          const { serialNumber } = (answer.socket as TLSSocket).getPeerCertificate()
          answer.resume().once('end', () => resolve({ serial: serialNumber, headers: answer.headers }))
        })
        sent.once('error', reject).end()
      })
    const { serial, headers } = await shown()
    expect(headers).to.include({ deprecation: '@1801353600', sunset: 'Mon, 31 Jan 2028 23:59:59 GMT' })
    expect(headers['strict-transport-security']).to.equal('max-age=31536000')
    await put(second)
    for (let tries = 0; (await shown()).serial === serial; tries += 1) {
      expect(tries).to.be.below(100)
      await sleep(100)
    }
    await copyFile(path.join(first, 'node.key'), tlsKey)
    await sleep(1_200)
    expect((await shown()).serial).to.not.equal(serial)
    expect(await open({ tlsCert, tlsKey }).catch(error => error)).to.be.instanceOf(ConfigError)
    for (const each of [folder, first, second]) await rm(each, { recursive: true, force: true })
  })
})
