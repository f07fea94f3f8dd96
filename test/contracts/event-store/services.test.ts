/** The services beside the streams, the pages over HTTP, and connections that send nonsense. */
import { randomUUID } from 'node:crypto'
import { connect } from 'node:net'
import {
  persistentSubscriptionToAllSettingsFromDefaults,
  persistentSubscriptionToStreamSettingsFromDefaults,
  UnsupportedError,
} from '@eventstore/db-client'
import gossip from '@eventstore/db-client/generated/gossip_pb.js'
import features from '@eventstore/db-client/generated/serverfeatures_pb.js'
import { expect } from 'chai'
import { type Engine, newStream, overEngines } from './engines.ts'
import { append, deleteRequest, read, readRequest } from './messages.ts'
import { Status, streamsPath } from './raw.ts'

const EMPTY = Buffer.alloc(0)

overEngines('services', engine => {
  it('lists what is there', async () => {
    const { messages } = await engine.raw.ask(
      '/event_store.client.server_features.ServerFeatures/GetSupportedMethods',
      EMPTY,
    )
    const supported = features.SupportedMethods.deserializeBinary(messages[0]!)
    const methods = supported
      .getMethodsList()
      .map(one => [`${one.getServiceName()}/${one.getMethodName()}`, one.getFeaturesList()])
    expect(supported.getEventStoreServerVersion()).to.match(/^\d+\.\d+\.\d+/)
    expect(methods).to.deep.include.members([
      ['event_store.client.streams.streams/read', ['position', 'events']],
      ['event_store.client.streams.streams/append', []],
      ['event_store.client.streams.streams/delete', []],
      ['event_store.client.streams.streams/tombstone', []],
      ['event_store.client.streams.streams/batchappend', ['deadline_duration']],
      ['event_store.client.gossip.gossip/read', []],
    ])
    if (!engine.isReal) expect(methods).to.have.length(7)
  })

  it('gossips of one leader', async () => {
    const { messages } = await engine.raw.ask('/event_store.client.gossip.Gossip/Read', EMPTY)
    const [member, ...others] = gossip.ClusterInfo.deserializeBinary(messages[0]!).getMembersList()
    expect(others).to.deep.equal([])
    const { state, isAlive, instanceId, httpEndPoint } = member!.toObject()
    expect([state, isAlive]).to.deep.equal([gossip.MemberInfo.VNodeState.LEADER, true])
    expect(instanceId!.structured).to.not.equal(undefined)
    const { hostname, port } = new URL(engine.url.replace('esdb:', 'http:'))
    if (!engine.isReal) expect(httpEndPoint).to.deep.equal({ address: hostname, port: Number(port) })
  })

  it('says which call is left out and who has it', async function () {
    if (engine.isReal) return this.skip()
    for (const call of [
      'event_store.client.persistent_subscriptions.PersistentSubscriptions/Create',
      'event_store.client.projections.Projections/Create',
      'event_store.client.users.Users/Details',
      'event_store.client.operations.Operations/StartScavenge',
      'event_store.client.monitoring.Monitoring/Stats',
    ]) {
      const answer = await engine.raw.ask(`/${call}`, EMPTY)
      expect(answer.status).to.equal(Status.unimplemented)
      expect(answer.message).to.equal(`${call} is not part of the embedded event store; a real EventStoreDB has it.`)
    }
  })

  it('refuses every call about persistent subscriptions of the stock client at once', async function () {
    if (engine.isReal) return this.skip()
    const { client } = engine
    const ofStream = persistentSubscriptionToStreamSettingsFromDefaults()
    const ofAll = persistentSubscriptionToAllSettingsFromDefaults()
    const first = async (events: AsyncIterable<unknown>) => {
      for await (const event of events) return event
      return undefined
    }
    const calls: readonly (() => Promise<unknown>)[] = [
      () => client.createPersistentSubscriptionToStream('s', 'g', ofStream),
      () => client.updatePersistentSubscriptionToStream('s', 'g', ofStream),
      () => client.deletePersistentSubscriptionToStream('s', 'g'),
      () => first(client.subscribeToPersistentSubscriptionToStream('s', 'g')),
      () => client.getPersistentSubscriptionToStreamInfo('s', 'g'),
      () => client.listPersistentSubscriptionsToStream('s'),
      () => client.listAllPersistentSubscriptions(),
      () => client.replayParkedMessagesToStream('s', 'g'),
      () => client.restartPersistentSubscriptionSubsystem(),
    ]
    for (const call of calls) {
      const error = await call().then(
        () => undefined,
        (failed: Error) => failed,
      )
      expect(error?.message, String(call)).to.include('not part of the embedded event store')
    }
    // The client itself refuses these, because the server does not list them.
    const unlisted: readonly (() => Promise<unknown>)[] = [
      () => client.createPersistentSubscriptionToAll('g', ofAll),
      () => client.updatePersistentSubscriptionToAll('g', ofAll),
      () => client.deletePersistentSubscriptionToAll('g'),
      () => first(client.subscribeToPersistentSubscriptionToAll('g')),
      () => client.getPersistentSubscriptionToAllInfo('g'),
      () => client.listPersistentSubscriptionsToAll(),
      () => client.replayParkedMessagesToAll('g'),
    ]
    for (const call of unlisted) {
      const error = await call().catch((failed: unknown) => failed)
      expect(error, String(call)).to.be.instanceOf(UnsupportedError)
    }
  })

  it('answers 501 to every HTTP form of persistent subscriptions', async function () {
    if (engine.isReal) return this.skip()
    const base = engine.url.replace(/^esdb:(.*)\?.*$/, 'http:$1')
    for (const [method, path] of [
      ['GET', '/subscriptions'],
      ['GET', '/subscriptions/s'],
      ['GET', '/subscriptions/s/g/info'],
      ['PUT', '/subscriptions/s/g'],
      ['POST', '/subscriptions/s/g/replayParked?stopAt=1'],
      ['DELETE', '/subscriptions/s/g'],
      ['POST', '/subscriptions/restart'],
    ]) {
      const answer = await fetch(base + path, { method: method! })
      expect([answer.status, await answer.text()], `${method} ${path}`).to.deep.equal([
        501,
        'Persistent subscriptions are not part of the embedded event store; a real EventStoreDB has them.',
      ])
    }
  })

  it('answers unknown methods UNIMPLEMENTED and unknown services 404', async () => {
    const method = await engine.raw.ask('/event_store.client.streams.Streams/Nothing', EMPTY)
    expect([method.status, method.message]).to.deep.equal([Status.unimplemented, 'Method is unimplemented.'])
    for (const path of ['/grpc.health.v1.Health/Check', '/x', '/event_store.client.constructor/toString'])
      expect((await engine.raw.ask(path, EMPTY)).trailers[':status']).to.equal('404')
  })

  it('ignores credentials of every kind, and requires-leader', async () => {
    for (const headers of [
      { authorization: 'Basic YWRtaW46Y2hhbmdlaXQ=' },
      { authorization: 'Basic nonsense' },
      { authorization: 'Bearer x' },
      { 'requires-leader': 'true' },
      { 'requires-leader': 'nonsense' },
    ]) {
      const call = engine.raw
        .call(streamsPath('read'), headers)
        .send(readRequest({ count: 1 }))
        .end()
      expect((await call.done).status, JSON.stringify(headers)).to.equal(Status.ok)
    }
  })

  http(engine)
  httpStreams(engine)
  abuse(engine)
})

function http(engine: Engine): void {
  const ask = (path: string, method = 'GET') =>
    fetch(engine.url.replace(/^esdb:(.*)\?.*$/, `http:$1${path}`), { method })

  it('says over HTTP that it is alive, and what it is', async () => {
    const alive = await ask('/health/live')
    expect([alive.status, await alive.text()]).to.deep.equal([204, ''])
    expect((await ask('/health/live', 'HEAD')).status).to.equal(204)
    expect((await ask('/health/live', 'POST')).status).to.equal(405)
    expect((await ask('/health')).status).to.equal(404)
    expect((await ask('/health/ready')).status).to.equal(404)
    const info = (await (await ask('/info')).json()) as Record<string, object>
    expect(info).to.include.keys('esVersion', 'state', 'features', 'authentication')
    expect(info).to.deep.include({ state: 'leader', authentication: { type: 'insecure', properties: null } })
    expect(info.features).to.include.keys('projections', 'userManagement', 'atomPub')
    expect(await (await ask('/ping')).json()).to.include({ text: 'Ping request successfully handled' })
  })
}

/** Events may come over HTTP too; feeds are not served. */
function httpStreams(engine: Engine): void {
  const post = (stream: string, headers: Record<string, string>, body: string) =>
    fetch(engine.url.replace(/^esdb:(.*)\?.*$/, `http:$1/streams/${encodeURIComponent(stream)}`), {
      method: 'POST',
      headers,
      body,
    })

  /** A real server has streams over HTTP only when it is started with AtomPub. */
  async function skipWithoutStreams(test: Mocha.Context): Promise<void> {
    if (!engine.isReal) return
    const info = await (await fetch(engine.url.replace(/^esdb:(.*)\?.*$/, 'http:$1/info'))).json()
    if (!(info as { features: { atomPub: boolean } }).features.atomPub) test.skip()
  }

  it('takes events over HTTP', async function () {
    await skipWithoutStreams(this)
    const stream = newStream()
    const json = { 'content-type': 'application/json', 'ES-EventType': 'Posted', 'ES-EventId': randomUUID() }
    const created = await post(stream, json, '{"a":1}')
    expect([created.status, created.headers.get('location')]).to.deep.equal([
      201,
      engine.url.replace(/^esdb:(.*)\?.*$/, `http:$1/streams/${stream}/0`),
    ])
    const list = JSON.stringify([{ eventId: randomUUID(), eventType: 'Listed', data: { b: 2 }, metadata: { c: 3 } }])
    expect((await post(stream, { 'content-type': 'application/vnd.eventstore.events+json' }, list)).status).to.equal(
      201,
    )
    const { reads } = await read(engine.raw, { stream })
    expect(
      reads.map(one => [one.event!.map.type, JSON.parse(one.event!.data.toString()), one.event!.metadata.length > 0]),
    ).to.deep.equal([
      ['Posted', { a: 1 }, false],
      ['Listed', { b: 2 }, true],
    ])
    expect(JSON.parse(reads[1]!.event!.metadata.toString())).to.deep.equal({ c: 3 })
  })

  it('refuses events over HTTP with the right status', async function () {
    await skipWithoutStreams(this)
    const stream = newStream()
    const json = { 'content-type': 'application/json', 'ES-EventId': randomUUID() }
    expect((await post(stream, json, '{}')).status).to.equal(400)
    const typed = { ...json, 'ES-EventType': 'Posted' }
    const wrong = await post(stream, { ...typed, 'ES-ExpectedVersion': '5' }, '{}')
    expect([wrong.status, wrong.headers.get('es-currentversion')]).to.deep.equal([400, '-1'])
    await append(engine.raw, stream, 'any', [{}])
    await engine.raw.ask(streamsPath('tombstone'), deleteRequest(stream, 'any', true))
    expect((await post(stream, typed, '{}')).status).to.equal(410)
    const headers = { accept: 'application/vnd.eventstore.atom+json' }
    const get = (name: string) => fetch(engine.url.replace(/^esdb:(.*)\?.*$/, `http:$1/streams/${name}`), { headers })
    expect((await get(stream)).status).to.equal(410)
    expect((await get(newStream())).status).to.equal(404)
  })
}

/** Nothing of this may end the server or the connections of others. */
function abuse(engine: Engine): void {
  const PREFACE = Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n')

  it('survives connections that say nothing, half a preface, or nonsense', async function () {
    if (engine.isReal) return this.skip()
    const url = new URL(engine.url.replace('esdb:', 'http:'))
    const openings = [EMPTY, PREFACE.subarray(0, 5), Buffer.from('\0\0\0'), Buffer.alloc(1000, 0xff)]
    const frames = [
      Buffer.concat([PREFACE, Buffer.alloc(100, 7)]),
      Buffer.concat([PREFACE, Buffer.from([255, 255, 255])]),
    ]
    await Promise.all(
      [...openings, ...frames].map(
        bytes =>
          new Promise<void>(resolve => {
            const socket = connect(Number(url.port), url.hostname, () => {
              socket.write(bytes)
              setTimeout(() => socket.destroy(), 50)
            })
            socket.on('error', () => {})
            socket.on('close', () => resolve())
          }),
      ),
    )
    expect((await append(engine.raw, newStream(), 'any', [{}])).status).to.equal(Status.ok)
  })

  it('answers bytes that are no message', async function () {
    if (engine.isReal) return this.skip()
    for (const method of ['read', 'append', 'delete', 'tombstone'] as const)
      for (const bytes of [[0x80], [0x0a, 0xff, 0x01], [0x0b], [0x08, 1], [0x0a, 2, 0x0a, 9]].map(one =>
        Buffer.from(one),
      ))
        expect(
          (await engine.raw.ask(streamsPath(method), bytes)).status,
          `${method} ${bytes.toString('hex')}`,
        ).to.equal(Status.invalidArgument)
  })

  it('lets go of calls that end inside a message', async function () {
    if (engine.isReal) return this.skip()
    for (const method of ['read', 'append', 'batchAppend'] as const) {
      const call = engine.raw.call(streamsPath(method))
      call.stream.end(Buffer.from([0, 0, 0, 9, 9, 1, 2]))
      await call.done
    }
    expect((await append(engine.raw, newStream(), 'any', [{}])).status).to.equal(Status.ok)
  })
}
