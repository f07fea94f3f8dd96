import { request } from 'node:http'
import { setTimeout as sleep } from 'node:timers/promises'
import { expect } from 'chai'
import { issueToken } from '../../infra/auth/dev-keys.ts'
import { type App, startApp } from '../support/app.ts'
import type { Client } from '../support/client.ts'

const WALLETS = 3
const COMMANDS = 300

describe('a bulk', function () {
  this.timeout(60_000)
  let app: App
  let client: Client

  before(async () => {
    app = await startApp()
    client = await app.clientOf('acme')
  })
  after(() => app?.close())

  /** Entries into several wallets in turn, each under a key of its own. */
  const commands = (name: string) =>
    Array.from({ length: COMMANDS }, (_, n) => ({
      command: 'wallet.credit',
      id: `${name}-${n % WALLETS}`,
      body: { account: 'main', currency: 'EUR', amount: '1' },
      key: `entry-${n}`,
    }))

  async function openWallets(name: string): Promise<void> {
    const opening = Array.from({ length: WALLETS }, (_, n) => [
      { command: 'wallet.open', id: `${name}-${n}`, body: { kind: 'business' } },
      {
        command: 'wallet.openAccount',
        id: `${name}-${n}`,
        body: { account: 'main', currency: 'EUR', overdraft: 'refused' },
      },
    ])
    const { body } = await client.call('POST', '/api/v1/bulk', { body: { commands: opening.flat() } })
    for (const { status } of body.data.results) expect(status).to.equal(201)
  }

  /** The entries of each wallet as readers see them at this position. */
  async function entriesOf(name: string, position: string): Promise<readonly number[]> {
    const counts: number[] = []
    for (let n = 0; n < WALLETS; n++) {
      const path = `/api/v1/kwlt/wallets/${name}-${n}/entries?limit=200`
      const answer = await client.call('GET', path, { headers: { 'kogi-min-position': position } })
      expect(answer.status, JSON.stringify(answer.body)).to.equal(200)
      counts.push(answer.body.data.length)
    }
    return counts
  }

  it('is decided in order, also where a command of a thing looks at another thing first', async () => {
    const dates = { start_date: '2026-01-05', end_date: '2026-01-16' }
    await client.call('POST', '/api/v1/kctr/sprints', { body: { id: 'first', name: 'First', ...dates } })
    const moves = Array.from({ length: 20 }, (_, n) => [
      { command: 'task.create', id: `moved-${n}`, body: { name: 'Moved' } },
      { command: 'task.moveToSprint', id: `moved-${n}`, body: { sprint: 'first' } },
      { command: 'task.moveToSprint', id: `moved-${n}`, body: { sprint: null } },
      { command: 'task.changeStatus', id: `moved-${n}`, body: { status: 'done' } },
    ])
    const { body } = await client.call('POST', '/api/v1/bulk', { body: { commands: moves.flat() } })
    const revisions = body.data.results.map(({ data }: { data: { revision: string } }) => data.revision)
    expect(revisions).to.deep.equal(moves.flatMap(() => ['0', '1', '2', '3']))
  })

  it('is seen by a reader who brings its position', async () => {
    await openWallets('read')
    const { headers } = await client.call('POST', '/api/v1/bulk', { body: { commands: commands('read') } })
    expect(await entriesOf('read', String(headers['kogi-position']))).to.deep.equal([100, 100, 100])
  })

  it('whose client goes away leaves whole commands alone, and can be sent again', async () => {
    await openWallets('gone')
    const body = { commands: commands('gone') }
    for (const afterMs of [0, 5, 20, 60]) await sendAndLeave(app, body, afterMs)
    const { body: answer, headers } = await client.call('POST', '/api/v1/bulk', { body })
    for (const { status } of answer.data.results) expect(status).to.equal(201)
    expect(await entriesOf('gone', String(headers['kogi-position']))).to.deep.equal([100, 100, 100])
  })
})

/** Sends a whole bulk and cuts the connection while it is worked on. */
async function sendAndLeave({ url, config }: App, body: object, afterMs: number): Promise<void> {
  const token = await issueToken(config, {
    org: 'acme',
    subject: 'tester',
    roles: ['organization-admin'],
    ttlSeconds: 600,
  })
  const headers = { authorization: `Bearer ${token}`, 'content-type': 'application/json' }
  const sent = request(`${url}/api/v1/bulk`, { method: 'POST', headers, agent: false })
  sent.on('error', () => {}) // the connection is cut
  await new Promise<void>(resolve => sent.end(JSON.stringify(body), resolve))
  await sleep(afterMs)
  sent.destroy()
}
