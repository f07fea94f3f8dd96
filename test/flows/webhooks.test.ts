import { expect } from 'chai'
import { type App, startApp } from '../support/app.ts'
import type { Client } from '../support/client.ts'
import { type Receiver, startReceiver, status } from '../webhooks/receiver.ts'
import { all, deliveriesOf, sent } from '../webhooks/support.ts'

describe('a webhook', function () {
  this.timeout(60_000)
  let app: App
  let client: Client
  let receiver: Receiver

  before(async () => {
    app = await startApp({ worker: true, env: { KOGI_WEBHOOK_NETWORKS: '127.0.0.0/8' } })
    client = await app.clientOf('shop')
    receiver = await startReceiver()
    await sent(client, '/kapp/webhooks', { id: 'hook', url: receiver.url, types: ['TaskCreated'] })
  })
  after(async () => {
    await app?.close()
    await receiver?.close()
  })

  it('is sent by a worker what has happened, and again what it asks for', async () => {
    await sent(client, '/kctr/tasks', { id: 't-1', name: 'x', status: 'open' })
    const [delivered] = await deliveriesOf(client, 'hook', all('delivered', 1))
    await sent(client, '/kapp/webhooks/hook/replay', { delivery: delivered!.id })
    await deliveriesOf(client, 'hook', rows => rows[0]?.attempts === '2' && rows[0].status === 'delivered')
    const [first, second] = receiver.received
    expect(second!.headers['webhook-id']).to.equal(first!.headers['webhook-id'])
    expect(second!.body).to.equal(first!.body)
    const unknown = await client.call('POST', '/api/v1/kapp/webhooks/hook/replay', { body: { delivery: 'none' } })
    expect(unknown.body.error.code).to.equal('reference_unknown')
  })

  it('shows what failed, and counts it', async () => {
    receiver.answer = status(503)
    await sent(client, '/kctr/tasks', { id: 't-2', name: 'y', status: 'open' })
    const [, failed] = await deliveriesOf(client, 'hook', rows => rows[1]?.attempts === '1')
    expect(failed).to.deep.include({ status: 'waiting', last_status: 503, last_failure: 'status' })
    const { body } = await client.call('GET', '/api/v1/kapp/deliveries/summary?by=status&webhook=hook')
    expect(body.data.map((row: { group: { status: string } }) => row.group.status)).to.have.members([
      'delivered',
      'waiting',
    ])
  })

  it('belongs to its organization', async () => {
    const other = await app.clientOf('other')
    expect((await other.call('GET', '/api/v1/kapp/webhooks/hook')).status).to.equal(404)
    expect((await other.call('GET', '/api/v1/kapp/deliveries')).body.data).to.deep.equal([])
    expect((await other.call('POST', '/api/v1/kapp/webhooks/hook/test', { body: {} })).status).to.equal(404)
  })

  it('may be registered by those alone who hold the permission', async () => {
    const viewer = await app.clientOf('shop', 'viewer')
    const body = { url: receiver.url }
    expect((await viewer.call('POST', '/api/v1/kapp/webhooks', { body })).status).to.equal(403)
    expect((await viewer.call('GET', '/api/v1/kapp/deliveries')).status).to.equal(403)
  })
})
