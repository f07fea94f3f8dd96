import { expect } from 'chai'
import { issueToken } from '../../infra/auth/dev-keys.ts'
import { type App, startApp } from '../support/app.ts'
import type { Answer, Client } from '../support/client.ts'
import { client } from '../support/client.ts'
import { patient } from '../support/pace.ts'

const PAGES = process.env.KOGI_LONG ? 800 : 200
const ITEMS = 500
/** Generous, because client and server share this process, and the machine is busy. */
const QUICK_MS_MAX = 10_000

describe('more reads than a process can take', function () {
  this.timeout(120_000)
  let app: App
  let hog: Client
  let other: Client

  before(async () => {
    app = await startApp({
      env: {
        KOGI_DATABASE_POOL_SIZE: '4',
        KOGI_READ_QUEUE_MS: String(Math.round(patient(500))),
        KOGI_APPEND_TIMEOUT_MS: '30000',
      },
    })
    const token = await issueToken(app.config, {
      org: 'hog',
      subject: 'h',
      roles: ['organization-admin'],
      ttlSeconds: 600,
    })
    hog = client(app.url, token, PAGES)
    other = await app.clientOf('other')
    const commands = Array.from({ length: ITEMS }, (_, n) => ({
      command: 'item.add',
      id: `item-${n}`,
      body: { name: `Item ${n}`, description: 'x'.repeat(400) },
    }))
    const { headers, body } = await hog.call('POST', '/api/v1/bulk', { body: { commands } })
    expect(body.data.results.filter(({ status }: Answer) => status !== 201)).to.deep.equal([])
    const seen = await hog.call('GET', '/api/v1/kbfc/items?limit=1', {
      headers: { 'Kogi-Min-Position': String(headers['kogi-position']) },
    })
    expect(seen.status).to.equal(200)
  })
  after(async () => {
    hog?.close()
    await app?.close()
  })

  it('are refused with 429 at once, while health, commands and reads of others stay quick', async () => {
    const flood = Promise.all(Array.from({ length: PAGES }, () => hog.call('GET', `/api/v1/kbfc/items?limit=${ITEMS}`)))
    let isOver = false
    void flood.then(() => {
      isOver = true
    })
    const slowest = { health: 0, command: 0, read: 0 }
    const timed = async (what: keyof typeof slowest, call: () => Promise<number>, status: number) => {
      const start = performance.now()
      expect(await call(), what).to.equal(status)
      slowest[what] = Math.max(slowest[what], performance.now() - start)
    }
    let n = 0
    do {
      await Promise.all([
        timed('health', async () => (await fetch(`${app.url}/health/live`)).status, 200),
        timed('health', async () => (await fetch(`${app.url}/health/ready`)).status, 200),
        timed(
          'command',
          async () => (await other.call('POST', '/api/v1/kbfc/items', { body: { name: `${n++}` } })).status,
          201,
        ),
        timed('read', async () => (await other.call('GET', '/api/v1/kbfc/items?limit=1')).status, 200),
      ])
    } while (!isOver)
    const answers = await flood
    const count = (status: number) => answers.filter(answer => answer.status === status).length
    const said = JSON.stringify({ ok: count(200), refused: count(429), ...slowest })
    expect(count(200) + count(429), said).to.equal(PAGES)
    expect(count(200), said).to.be.above(0)
    expect(count(429), said).to.be.above(0)
    for (const { status, body, headers } of answers) {
      if (status !== 429) continue
      expect(body.error.code).to.equal('too_many_requests')
      expect(headers['retry-after']).to.equal('1')
    }
    expect(Math.max(...Object.values(slowest)), said).to.be.below(patient(QUICK_MS_MAX))
    if (process.env.KOGI_LONG) console.log(said)
  })

  it('wait for a checkpoint without a place, and are refused where too many wait', async () => {
    const waitMs = Math.min(30_000, patient(800))
    const path = `/api/v1/kbfc/items?limit=1&at_least=9223372036854775807&wait=${waitMs}`
    const waiting = Array.from({ length: 200 }, () => hog.call('GET', path))
    const start = performance.now()
    const between = await other.call('GET', '/api/v1/kbfc/items?limit=1')
    expect(between.status).to.equal(200)
    expect(performance.now() - start).to.be.below(waitMs)
    const statuses = new Set((await Promise.all(waiting)).map(({ status, body }) => `${status} ${body.error.code}`))
    expect([...statuses].sort()).to.deep.equal(['429 too_many_requests', '503 not_yet_visible'])
  })

  it('are all answered once there are fewer', async () => {
    const answers = await Promise.all(Array.from({ length: 20 }, () => hog.call('GET', '/api/v1/kbfc/items?limit=10')))
    expect(new Set(answers.map(({ status }) => status))).to.deep.equal(new Set([200]))
    const metrics = await (await fetch(`${app.url}/metrics`)).text()
    expect(metrics).to.match(/http_reads_at_work\{[^}]*\} 0/)
    expect(metrics).to.match(/http_reads_queued\{[^}]*\} 0/)
  })
})
