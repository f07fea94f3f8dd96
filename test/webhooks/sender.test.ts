import { setTimeout as sleep } from 'node:timers/promises'
import { expect } from 'chai'
import { Webhook } from 'standardwebhooks'
import { PAUSES_SECONDS } from '../../infra/webhooks/sender.ts'
import { type App, startApp } from '../support/app.ts'
import type { Client } from '../support/client.ts'
import { patient } from '../support/pace.ts'
import { type Receiver, startReceiver, status } from './receiver.ts'
import { all, deliveriesOf, type Sending, sent, startSender } from './support.ts'

const DAY = 86_400

describe('webhooks', function () {
  this.timeout(60_000)
  let app: App
  let receiver: Receiver
  let client: Client
  let sending: Sending | undefined
  let orgs = 0
  let org: string

  before(async () => {
    app = await startApp()
  })
  after(() => app?.close())
  beforeEach(async () => {
    receiver = await startReceiver()
    org = `org-${++orgs}`
    client = await app.clientOf(org)
    sending = startSender(app)
  })
  afterEach(async () => {
    await sending?.stop()
    await receiver?.close()
  })

  const register = async (more: object = {}): Promise<string> => {
    const { events } = await sent(client, '/kapp/webhooks', { id: 'hook', url: receiver.url, ...more })
    return events[0].data.secret
  }
  const task = (id: string) => sent(client, '/kctr/tasks', { id, name: id, status: 'open' })
  const complete = (id: string) => sent(client, `/kctr/tasks/${id}/complete`)
  const untilHook = async (status: string) => {
    for (const end = Date.now() + patient(20_000); Date.now() < end; await sleep(20)) {
      const { body } = await client.call('GET', '/api/v1/kapp/webhooks/hook')
      if (body.data?.status === status) return
    }
    expect.fail(`the webhook is not ${status}`)
  }
  const told = () => receiver.received.map(({ body }) => JSON.parse(body))

  it('are sent what happens, signed, as it is announced', async () => {
    await task('before')
    const secret = await register()
    const { position, events } = await task('t-1')
    const [row] = await deliveriesOf(client, 'hook', all('delivered', 1))
    const [{ headers, body }] = receiver.received as [Receiver['received'][0]]
    const verified = new Webhook(secret).verify(body, headers as Record<string, string>) as { data: { at: string } }
    const { at } = verified.data
    expect(verified).to.deep.equal({
      type: 'TaskCreated',
      timestamp: at,
      data: {
        org,
        position,
        event_id: events[0].id,
        category: 'task',
        id: 't-1',
        type: 'TaskCreated',
        revision: '0',
        at,
      },
    })
    expect(headers['webhook-id']).to.equal(row!.id)
    expect(row!.log).to.have.length(1)
    expect(row!.log[0]).to.deep.include({ attempt: 1, status: 204 })
    const { body: read } = await client.call('GET', `/api/v1/kctr/tasks/t-1`)
    expect(read.data.status).to.equal('open')
  })

  it('have a secret that the reply alone shows, also when that is asked for again', async () => {
    const call = { body: { id: 'hook', url: receiver.url }, headers: { 'idempotency-key': 'once' } }
    const first = await client.call('POST', '/api/v1/kapp/webhooks', call)
    const again = await client.call('POST', '/api/v1/kapp/webhooks', call)
    expect(first.body.data.events[0].data.secret).to.match(/^whsec_[A-Za-z0-9+/]{43}=$/)
    expect(again.body.data.events[0].data.secret).to.equal(first.body.data.events[0].data.secret)
    expect(again.body.data.replayed).to.equal(true)
    const other = await client.call('POST', '/api/v1/kapp/webhooks', {
      ...call,
      body: { ...call.body, url: 'https://x/' },
    })
    expect(other.body.error.code).to.equal('idempotency_key_reused')
    const chosen = { ...call.body, id: 'b', secret: 'whsec_mine' }
    expect((await client.call('POST', '/api/v1/kapp/webhooks', { body: chosen })).status).to.equal(400)
    const min = { 'kogi-min-position': String(first.headers['kogi-position']) }
    for (const path of ['/kapp/webhooks', '/kapp/webhooks/hook', '/kmg/audit-log', '/events?after=0']) {
      const { status, body } = await client.call('GET', `/api/v1${path}`, { headers: min })
      expect(status, path).to.equal(200)
      expect(JSON.stringify(body ?? ''), path).not.to.include('whsec_')
    }
  })

  it('are sent what they ask for, of what their maker may read, and nothing of webhooks', async () => {
    await register({
      categories: ['task', 'note', 'delivery', 'webhook'],
      types: ['TaskCompleted', 'DeliverySucceeded'],
    })
    const maker = ['center.tasks.read', 'apps.webhooks.write']
    await sending!.register(org, 'narrow', receiver.url, maker)
    await sent(client, '/koff/notes', { title: 'x' })
    await sent(client, '/kctr/projects', { id: 'p', name: 'p' })
    await task('t-1')
    await complete('t-1')
    await deliveriesOf(client, 'hook', all('delivered', 1))
    await deliveriesOf(client, 'narrow', all('delivered', 2))
    await sleep(600)
    expect(told().map(({ type }) => type)).to.have.members(['TaskCompleted', 'TaskCreated', 'TaskCompleted'])
  })

  it('are tried again with growing pauses for three days, in order for each thing, then parked', async () => {
    await register({ categories: ['task'] })
    receiver.answer = (answer, { body }) => void answer.writeHead(JSON.parse(body).data.id === 'bad' ? 500 : 200).end()
    await task('bad')
    await complete('bad')
    await task('good')
    const waits = (attempts: number) =>
      deliveriesOf(client, 'hook', ([bad, , good]) => bad?.attempts === String(attempts) && good?.attempts === '1')
    let tried = await waits(1)
    expect(tried.map(row => row.attempts)).to.deep.equal(['1', '0', '1'])
    expect(PAUSES_SECONDS.reduce((sum, each) => sum + each) / DAY).to.be.within(3, 3.5)
    for (const [n, pause] of PAUSES_SECONDS.entries()) {
      if (n > 0) expect(pause).to.be.above(PAUSES_SECONDS[n - 1]!)
      sending!.pass(pause)
      tried = await waits(n + 2)
    }
    const [parked] = await deliveriesOf(client, 'hook', rows => rows[0]?.status === 'parked')
    expect(parked).to.deep.include({ last_status: 500, last_failure: 'status' }).and.not.have.property('due_at')
    expect(parked!.log.map(({ attempt }) => attempt)).to.deep.equal(Array.from({ length: 11 }, (_, n) => n + 1))
    // Once the first one is given up, the next of the same thing has its turn.
    await deliveriesOf(client, 'hook', rows => rows[1]?.attempts === '1')
    receiver.answer = status(200)
    await sent(client, '/kapp/webhooks/hook/replay')
    sending!.pass(60)
    await deliveriesOf(client, 'hook', all('delivered', 3))
  })

  it('leave a receiver alone for as long as it asks, but not longer than a day', async () => {
    await register({ categories: ['task'] })
    receiver.answer = answer => void answer.writeHead(429, { 'retry-after': '600' }).end()
    await task('first')
    await deliveriesOf(client, 'hook', ([first]) => first?.attempts === '1')
    receiver.answer = answer => void answer.writeHead(503, { 'retry-after': '999999999' }).end()
    await task('second')
    sending!.pass(590)
    await sleep(700)
    expect(receiver.received, 'nothing is sent before').to.have.length(1)
    sending!.pass(15)
    await deliveriesOf(client, 'hook', rows => rows.filter(({ last_status }) => last_status === 503).length > 0)
    const count = receiver.received.length
    receiver.answer = status(200)
    sending!.pass(DAY - 60)
    await sleep(700)
    expect(receiver.received).to.have.length(count)
    sending!.pass(120)
    await deliveriesOf(client, 'hook', all('delivered', 2))
  })

  it('are disabled where the receiver is gone, tell their owner, and miss nothing once resumed', async () => {
    await register({ categories: ['task', 'notification'] })
    receiver.answer = status(410)
    await task('t-1')
    await untilHook('disabled')
    await deliveriesOf(client, 'hook', ([gone]) => gone?.last_status === 410)
    await complete('t-1')
    sending!.pass(10)
    await sleep(700)
    expect(receiver.received, 'nothing is sent').to.have.length(1)
    const { body } = await client.call('GET', '/api/v1/khub/notifications')
    expect(body.data.map(({ kind, text }: { kind: string; text: string }) => `${kind}: ${text}`)).to.deep.equal([
      'webhook_disabled: Kogi disabled the webhook hook, because its receiver said that it is gone',
    ])
    receiver.answer = status(204)
    await sent(client, '/kapp/webhooks/hook/resume')
    await deliveriesOf(client, 'hook', all('delivered', 3))
    const types = told()
      .slice(1)
      .map(({ type }) => type)
    expect(types.toSorted()).to.deep.equal(['TaskCompleted', 'TaskCreated', 'notification.created'])
    expect(types.indexOf('TaskCreated')).to.be.below(types.indexOf('TaskCompleted'))
  })

  it('are sent the notifications of their owner that these want there', async () => {
    await register({ categories: ['notification'] })
    const jon = await app.clientOf(org, 'organization-admin', 'jon')
    await sent(client, '/khub/inboxes', { id: 'tester' })
    const unwanted = { kind: 'mentioned', channel: 'webhook', wanted: false }
    await sent(client, '/khub/inboxes/tester/preferences', unwanted, 'PUT')
    await sent(jon, '/kctr/tasks', { id: 'a', name: 'ask @tester' })
    await sent(jon, '/kctr/tasks', { id: 'b', name: 'b', assignee: 'tester' })
    await sent(jon, '/kctr/tasks', { id: 'c', name: 'c', assignee: 'jon' })
    const { position } = await sent(jon, '/kctr/tasks', { id: 'd', name: 'd', assignee: 'tester' })
    await deliveriesOf(client, 'hook', all('delivered', 2))
    await sleep(600)
    const { body } = await client.call('GET', `/api/v1/khub/notifications?kind=task_assigned&at_least=${position}`)
    const listed = body.data.map(({ id }: { id: string }) => id)
    expect(told().map(({ type, data }) => [type, data.category, data.id])).to.have.deep.members(
      listed.map((id: string) => ['notification.created', 'notification', id]),
    )
    expect(listed).to.have.length(2)
  })

  it('sign with two secrets for a day after a rotation', async () => {
    const first = await register()
    const { events } = await sent(client, '/kapp/webhooks/hook/rotate')
    const second = events[0].data.secret
    expect(second)
      .to.match(/^whsec_/)
      .and.not.equal(first)
    await sent(client, '/kapp/webhooks/hook/test')
    await deliveriesOf(client, 'hook', all('delivered', 1))
    const verifies = (n: number, secret: string) => {
      const { body, headers } = receiver.received[n]!
      const { 'webhook-id': id, 'webhook-timestamp': at, 'webhook-signature': signatures } = headers
      const expected = new Webhook(secret).sign(String(id), new Date(Number(at) * 1_000), body)
      return String(signatures).split(' ').includes(expected)
    }
    expect([verifies(0, first), verifies(0, second)]).to.deep.equal([true, true])
    sending!.pass(DAY)
    await sent(client, '/kapp/webhooks/hook/test')
    await deliveriesOf(client, 'hook', all('delivered', 2))
    expect([verifies(1, first), verifies(1, second)]).to.deep.equal([false, true])
    expect(told().map(({ type, data }) => [type, data.id])).to.deep.equal(Array(2).fill(['WebhookTested', 'hook']))
  })

  it('wait while they are paused, and are sent nothing once they are removed', async () => {
    await register()
    await sent(client, '/kapp/webhooks/hook/pause')
    await task('t-1')
    await deliveriesOf(client, 'hook', all('waiting', 1))
    await sleep(700)
    expect(receiver.received).to.have.length(0)
    await sent(client, '/kapp/webhooks/hook/resume')
    await deliveriesOf(client, 'hook', all('delivered', 1))
    receiver.answer = status(500)
    await complete('t-1')
    await deliveriesOf(client, 'hook', rows => rows[1]?.attempts === '1')
    expect((await client.call('DELETE', '/api/v1/kapp/webhooks/hook')).status).to.equal(204)
    sending!.pass(5)
    const [, removed] = await deliveriesOf(client, 'hook', rows => rows[1]?.status === 'parked')
    expect(removed!.last_failure).to.equal('webhook_removed')
    expect(receiver.received).to.have.length(2)
  })

  it('are sent nothing twice by a sender that begins anew', async () => {
    await register()
    for (const id of ['t-1', 't-2', 't-3']) await task(id)
    await deliveriesOf(client, 'hook', all('delivered', 3))
    await sending!.stop()
    await task('t-4')
    sending = startSender(app)
    await deliveriesOf(client, 'hook', all('delivered', 4))
    await sleep(300)
    expect(told().map(({ data }) => data.id))
      .to.have.members(['t-1', 't-2', 't-3', 't-4'])
      .and.have.length(4)
  })

  it('have every event at least once and in order for each thing, whoever sends and whatever fails', async () => {
    await sending!.stop()
    await register({ categories: ['task'] })
    const things = ['a', 'b', 'c']
    for (const id of things) await task(id)
    for (const name of ['one', 'two', 'three']) {
      for (const id of things) await sent(client, `/kctr/tasks/${id}`, { name }, 'PATCH')
    }
    const seen = new Map<string, string[]>(things.map(id => [id, []]))
    let posts = 0
    const post = async (_: string, __: unknown, body: string) => {
      const { id, revision } = JSON.parse(body).data
      if (++posts % 3 === 0) return { status: 503, failure: 'status', latencyMs: 1 }
      seen.get(id)!.push(revision)
      return { status: 200, latencyMs: 1 }
    }
    let passed = 0
    sending = startSender(app, { post })
    for (let round = 0; round < 6; round++) {
      await sleep(150)
      const stopped = sending.stop()
      passed += 3_600
      sending = startSender(app, { post, passed })
      await stopped
    }
    const passing = setInterval(() => sending!.pass(5), 50)
    await deliveriesOf(client, 'hook', all('delivered', 12)).finally(() => clearInterval(passing))
    for (const [id, revisions] of seen) {
      const firsts = revisions.filter((revision, n) => revisions.indexOf(revision) === n)
      expect(firsts, id).to.deep.equal(['0', '1', '2', '3'])
    }
  })
})
