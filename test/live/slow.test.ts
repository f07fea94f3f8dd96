import { setTimeout as sleep } from 'node:timers/promises'
import { expect } from 'chai'
import pg from 'pg'
import { issueToken } from '../../infra/auth/dev-keys.ts'
import { auditLog } from '../../projections/audit/audit-log.ts'
import { columnsOf, quoted, quotedList, tableOf } from '../../projections/rows/tables.ts'
import { type App, startApp } from '../support/app.ts'
import { openSocket, openStream } from './clients.ts'

/** More than the sockets of both sides hold, at about 500 bytes an event. */
const EVENTS = 40_000

/** The columns in which the events differ from the one that they are copied from. */
const MADE: Readonly<Record<string, string>> = { org: "'full'", position: 'n', id: "'p'", type: "'ProjectChanged'" }

describe('a live client that reads slowly', function slow() {
  this.timeout(120_000)
  let app: App
  let token: string
  let pool: pg.Pool | undefined
  before(async () => {
    app = await startApp({ env: { KOGI_LIVE_SLOW_MS: '500', KOGI_LIVE_BUFFER_BYTES: '65536' } })
    token = await issueToken(app.config, { org: 'full', subject: 'a', roles: ['organization-admin'], ttlSeconds: 600 })
    const client = await app.clientOf('acme')
    let position = 0
    for (let n = 0; position < EVENTS; n++) {
      const { headers } = await client.call('POST', '/api/v1/kctr/projects', { body: { id: `p${n}`, name: 'p' } })
      position = Number(headers['kogi-position'])
    }
    await client.call('GET', `/api/v1/kctr/projects?at_least=${position}`)
    // As many events as it takes would take minutes to write one by one: rows of an org that has none of its own.
    pool = new pg.Pool({ connectionString: app.urls.databaseUrl })
    await pool.query(
      `insert into ${tableOf(auditLog)} (${quotedList(columnsOf(auditLog).map(({ name }) => name))})
       select ${columnsOf(auditLog).map(({ name }) => MADE[name] ?? quoted(name))}
       from ${tableOf(auditLog)}, generate_series(1, ${EVENTS}) n where id = 'p0'`,
    )
  })
  after(async () => {
    await pool?.end()
    await app?.close()
  })

  /** How many clients were ended because they read too slowly. */
  const tooSlow = async (): Promise<number> => {
    const metrics = await (await fetch(`${app.url}/metrics`)).text()
    const [, ended] = /^kogi_live_ended_total\{reason="too_slow".*\} (\d+)$/m.exec(metrics) ?? []
    return Number(ended ?? 0)
  }
  const untilOneMore = async (count: number) => {
    while ((await tooSlow()) <= count) await sleep(100)
  }

  it('is not taken for slow because this process is held up itself', async () => {
    const ended = await tooSlow()
    const stream = await openStream(app.url, token, '?after=0')
    await stream.until(() => stream.events.length > 0)
    for (let n = 0; n < 4; n++) {
      for (const end = Date.now() + 700; Date.now() < end; );
      await sleep(10)
    }
    await stream.until(() => stream.events.length === EVENTS, 60_000)
    expect([stream.isOver(), await tooSlow()]).to.deep.equal([false, ended])
    stream.close()
  })

  it('is ended, and loses nothing when it comes again with its last id', async () => {
    const heap = () => process.memoryUsage().rss
    const ended = await tooSlow()
    const slow = await openStream(app.url, token, '?after=0')
    await slow.until(() => slow.events.length > 0)
    slow.pause()
    const before = heap()
    await untilOneMore(ended)
    slow.resume()
    await slow.until(() => slow.isOver())
    expect(slow.events.length).to.be.below(EVENTS)
    expect(heap() - before, 'bytes kept for it').to.be.below(64_000_000)
    const { id } = slow.frames.findLast(({ data, event }) => data !== undefined && event === undefined)!
    const again = await openStream(app.url, token, '?after=0', { 'last-event-id': id! })
    await again.until(() => slow.events.length + again.events.length === EVENTS, 60_000)
    const ids = [...slow.events, ...again.events].map(event => event.position)
    expect(new Set(ids).size).to.equal(EVENTS)
    again.close()
  })

  it('is closed with its last position where it is a WebSocket', async () => {
    const ended = await tooSlow()
    const slow = await openSocket(app.url)
    slow.send({ type: 'auth', token })
    slow.send({ type: 'subscribe', channels: ['project:p'], after: '0' })
    await slow.until(() => slow.messages.length > 2)
    slow.socket.pause()
    await untilOneMore(ended)
    slow.socket.resume()
    await slow.until(() => slow.closed() !== undefined)
    const told = slow.messages.filter(({ type }) => type === 'project.updated')
    expect(told.length).to.be.below(EVENTS)
    const last = told.at(-1)!.position
    const again = await openSocket(app.url)
    again.send({ type: 'auth', token })
    again.send({ type: 'subscribe', channels: ['project:p'], after: last })
    const got = () => again.messages.filter(({ type }) => type === 'project.updated')
    await again.until(() => told.length + got().length === EVENTS, 60_000)
    expect(new Set([...told, ...got()].map(({ position }) => position)).size).to.equal(EVENTS)
    again.close()
  })
})
