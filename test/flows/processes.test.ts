import { randomUUID } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import { expect } from 'chai'
import { streamOf } from '../../commands/ids.ts'
import { projections } from '../../infra/catalogue.ts'
import { commandStore } from '../../infra/event-store/command-store.ts'
import { writeSkip } from '../../infra/event-store/skips.ts'
import { concerns } from '../../projections/rows/projection.ts'
import { kogi } from '../../scripts/running.ts'
import { type App, startApp } from '../support/app.ts'
import type { Client } from '../support/client.ts'
import { patient } from '../support/pace.ts'

type Left = { readonly event: string; readonly thing: string; readonly failure?: { readonly code: string } }

describe('kogi processes', function () {
  this.timeout(90_000)
  let app: App
  let client: Client
  let environment: Record<string, string>
  let position: bigint

  const cli = (...args: string[]) => kogi(['processes', ...args], environment)
  const post = async (path: string, body: object) => {
    const { status, body: answer } = await client.call('POST', `/api/v1/kwlt${path}`, { body })
    expect([200, 201], JSON.stringify(answer)).to.include(status)
  }
  const transfer = async (id: string): Promise<string> => {
    const movement = { from: 'a', from_account: 'main', to: 'b', to_account: 'main', currency: 'EUR', amount: '10' }
    await post('/transfers', { id, ...movement })
    return stepOf(id)
  }
  /** The id of the event whose step waits, once one of the transfer does. */
  async function stepOf(id: string): Promise<string> {
    for (const end = Date.now() + patient(20_000); Date.now() < end; await sleep(100)) {
      const { processes } = JSON.parse(await cli('--json'))
      const { left } = processes.find(({ process }: { process: string }) => process === 'transfer')
      const step = (left as readonly Left[]).find(({ thing, failure }) => thing === id && failure)
      if (step) return step.event
    }
    return expect.fail(`no step of ${id} waits`)
  }
  /** The transfer, once it is as wanted: its read model follows. */
  async function transferOf(id: string, status: string) {
    for (const end = Date.now() + patient(20_000); ; await sleep(100)) {
      const { body } = await client.call('GET', `/api/v1/kwlt/transfers/${id}`)
      if (body.data?.status === status || Date.now() > end) return body.data
    }
  }

  before(async () => {
    // Steps that failed are not tried again by themselves while the test runs.
    app = await startApp({ worker: true, pausesMs: [600_000, 600_000] })
    client = await app.clientOf('acme')
    environment = {
      KOGI_LOG_LEVEL: 'silent',
      KOGI_DATA_DIR: app.config.dataDir,
      KOGI_EVENTSTORE_URL: app.urls.eventStoreUrl,
      KOGI_DATABASE_URL: app.urls.databaseUrl,
      KOGI_KEYS_DATABASE_URL: app.urls.keysDatabaseUrl,
    }
    for (const id of ['a', 'b']) {
      await post('/wallets', { id, kind: 'business' })
      await post(`/wallets/${id}/accounts`, { account: 'main', currency: 'EUR', overdraft: 'refused' })
    }
    await post('/wallets/a/credits', { account: 'main', currency: 'EUR', amount: '100' })
    // An event of another release in the wallet of the target: no command reaches it until operators go past it.
    const store = commandStore(app.urls.eventStoreUrl)
    const stream = streamOf('acme', 'wallet', 'b')
    const metadata = { org: 'acme', id: 'b', schema: 1, commandId: randomUUID(), at: '2026-01-31T12:00:00.000Z' }
    const event = { id: randomUUID(), type: 'WalletPainted', data: {}, metadata }
    position = (await store.append(stream, 1n, [event as never])).position
    await store.close()
  })
  after(() => app?.close())

  it('shows the step that waits, and gives it up for a reason that the log keeps', async () => {
    const step = await transfer('t1')
    expect(await cli()).to.match(
      new RegExp(
        `^${step} transfer acme/t1 TransferRequested: waiting at wallet.credit b after .*event_unreadable: `,
        'm',
      ),
    )
    expect(await cli('abandon', step, '--reason', 'the wallet is broken')).to.equal(`${step} transfer: done`)
    const { refused_at, refusal, reason } = await transferOf('t1', 'refused')
    expect([refused_at, refusal, reason]).to.deep.equal(['credit', 'abandoned', 'the wallet is broken'])
    const held = { account: 'main', currency: 'EUR', amount: '100' }
    for (const end = Date.now() + patient(20_000); ; await sleep(50)) {
      const { status } = await client.call('POST', '/api/v1/kwlt/wallets/a/holds', { body: { hold: 'all', ...held } })
      if (status === 201) break
      if (Date.now() > end) expect.fail('the amount of the transfer is still held')
    }
    await post('/wallets/a/holds/all/release', {})
  })

  it('tries a step again once its cause is mended', async () => {
    const step = await transfer('t2')
    for (const { name } of projections.filter(each => concerns(each, { type: 'WalletPainted', stream: 'wallet-b' }))) {
      await writeSkip(app.urls.eventStoreUrl, { projection: name, position, reason: 'painted', actor: 'tester' })
    }
    const { steps } = JSON.parse(await cli('retry', step, '--json'))
    expect(steps).to.deep.equal([{ event: step, process: 'transfer', outcome: 'done' }])
    expect((await transferOf('t2', 'completed'))?.status).to.equal('completed')
  })

  it('has nothing to do where nothing waits, and says so of an unknown step', async () => {
    expect(await cli('retry')).to.equal('no step is parked')
    const id = randomUUID()
    const refused = await cli('abandon', id, '--reason', 'x').catch(error => error)
    expect(refused.stderr).to.equal(`kogi: No step of the event ${id} waits: see kogi processes.\n`)
  })
})
