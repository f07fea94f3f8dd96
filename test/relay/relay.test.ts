import { setTimeout as sleep } from 'node:timers/promises'
import { expect } from 'chai'
import { connect, nanos } from 'nats'
import { domainStreamPrefixes, serviceOfCategory } from '../../infra/catalogue.ts'
import { loadConfig } from '../../infra/config.ts'
import { commandStore } from '../../infra/event-store/command-store.ts'
import { eventLog } from '../../infra/event-store/reader.ts'
import { silentLog } from '../../infra/log.ts'
import { administrationOf } from '../../infra/nats.ts'
import { busOf, startRelay } from '../../infra/processes/relay.ts'
import { cloudEventFrom } from '../../infra/relay/cloud-event.ts'
import { Relay } from '../../infra/relay/relay.ts'
import { type App, startApp } from '../support/app.ts'
import { type Client, inLanes } from '../support/client.ts'
import { hasNats, type NatsServer, NO_NATS, startNats } from './nats-server.ts'

/** How often the server is killed while commands come in. */
const KILLS = process.env.KOGI_LONG ? 30 : 3
const KEEP = 'books=kogi.*.wallet.>'

describe('the relay', function relay() {
  this.timeout(KILLS * 20_000 + 60_000)
  let app: App
  let nats: NatsServer
  let acme: Client
  before(async function startAll() {
    if (!hasNats) {
      console.log(`      ${NO_NATS}`)
      this.skip()
    }
    nats = await startNats()
    app = await startApp()
    acme = await app.clientOf('acme.example')
  })
  after(async () => {
    await app?.close()
    await nats?.close()
  })

  const configOf = () =>
    loadConfig({ KOGI_DATA_DIR: app.config.dataDir, KOGI_NATS_URL: nats.url, KOGI_NATS_CONSUMERS: KEEP })
  const begin = () => startRelay({ config: configOf(), urls: app.urls, log: silentLog, leaseMs: 1_000 })
  const add = async (id: string, client = acme) => {
    const { status } = await client.call('POST', '/api/v1/kbfc/items', { body: { id, name: id } })
    expect(status).to.equal(201)
  }
  const logged = async () => {
    const events = eventLog({ url: app.urls.eventStoreUrl, prefixes: domainStreamPrefixes })
    const found: string[] = []
    for await (const list of events.read({ after: 0n, to: await events.head(), max: 500 })) {
      for (const { eventId } of list) found.push(eventId)
    }
    await events.close()
    return found
  }
  /** All messages of the stream, in its order. */
  const relayed = async () => {
    const connection = await connect({ servers: nats.url.slice(7) })
    try {
      const { last_seq } = (await (await administrationOf(connection)).streams.info('KOGI')).state
      const found: { subject: string; id: string; body: string }[] = []
      if (last_seq === 0) return found
      const consumer = await connection.jetstream().consumers.get('KOGI')
      for await (const { subject, headers, data, seq } of await consumer.consume()) {
        found.push({ subject, id: headers!.get('Nats-Msg-Id'), body: new TextDecoder().decode(data) })
        if (seq === last_seq) break
      }
      return found
    } finally {
      await connection.close()
    }
  }
  /** Waits until the bus has every event of the log; the ids as a consumer that leaves out repetitions sees them. */
  const untilRelayed = async () => {
    const wanted = await logged()
    for (;;) {
      const seen = [...new Set((await relayed().catch(() => [])).map(({ id }) => id))]
      if (seen.length >= wanted.length) return { wanted, seen }
      await sleep(200)
    }
  }

  it('publishes every event as a CloudEvent under its subject, in order, with personal data sealed', async () => {
    const running = begin()
    await acme.call('POST', '/api/v1/kwlt/wallets', { body: { id: 'w 1', kind: 'business', holder: 'Mira Novak' } })
    for (let n = 0; n < 20; n++) await add(`first-${n}`, n % 2 === 0 ? acme : await app.clientOf('other'))
    const { wanted, seen } = await untilRelayed()
    expect(seen).to.deep.equal(wanted)
    const [first, , other] = await relayed()
    expect(first!.subject).to.equal('kogi.acme%2Eexample.wallet.wallet.WalletOpened')
    expect(other!.subject).to.equal('kogi.other.briefcase.item.ItemAdded')
    const event = cloudEventFrom(first!.body)
    expect([event.id, event.subject, event.org]).to.deep.equal([first!.id, 'w 1', 'acme.example'])
    expect(first!.body).not.to.include('Mira')
    const connection = await connect({ servers: nats.url.slice(7) })
    const { config } = await (await administrationOf(connection)).consumers.info('KOGI', 'books')
    expect([config.filter_subject, config.max_ack_pending]).to.deep.equal(['kogi.*.wallet.>', 1])
    await connection.close()
    await running.close()
  })

  it('goes on where it was, one relay after another, and repeats nothing that the bus still knows', async () => {
    for (let n = 0; n < 3; n++) {
      await add(`later-${n}`)
      const running = begin()
      const { wanted, seen } = await untilRelayed()
      expect(seen).to.deep.equal(wanted)
      await running.close()
    }
    expect((await relayed()).length).to.equal((await logged()).length)
  })

  it('waits for a bus that is away, visibly, while commands are accepted', async () => {
    const running = begin()
    const bus = running.probes.find(({ name }) => name === 'event_bus')!
    const stateOf = async () =>
      Promise.resolve()
        .then(bus.check)
        .then(
          () => 'green',
          () => 'red',
        )
    await nats.kill()
    for (let n = 0; n < 20; n++) await add(`away-${n}`)
    while ((await stateOf()) !== 'red') await sleep(100)
    await nats.start()
    const { wanted, seen } = await untilRelayed()
    expect(seen).to.deep.equal(wanted)
    while ((await stateOf()) !== 'green') await sleep(100)
    await running.close()
  })

  it(`loses nothing and keeps the order while the bus is killed ${KILLS} times and remembers no id`, async () => {
    const connection = await connect({ servers: nats.url.slice(7) })
    const admin = await administrationOf(connection)
    const { config } = await admin.streams.info('KOGI')
    await admin.streams.update('KOGI', { ...config, duplicate_window: nanos(100) })
    await connection.close()
    let isOver = false
    let n = 0
    const writing = inLanes(Array.from({ length: 4 }), 4, async () => {
      while (!isOver) await add(`kill-${n++}`)
    })
    for (let kill = 0; kill < KILLS; kill++) {
      const running = begin()
      await sleep(600 + Math.random() * 400)
      await nats.kill()
      await sleep(Math.random() * 300)
      // Every other time the relay dies too, without a word to its checkpoint: that stays behind.
      if (kill % 2 === 0) await running.close()
      await nats.start()
      if (kill % 2 === 1) {
        await sleep(500)
        await running.close()
      }
    }
    isOver = true
    await writing
    const last = begin()
    const { wanted, seen } = await untilRelayed()
    expect(seen).to.deep.equal(wanted)
    await last.close()
  })

  it('ends where another relay took over, and the order holds though both publish', async () => {
    const config = configOf()
    const make = (worker: string) => {
      const events = eventLog({ url: app.urls.eventStoreUrl, prefixes: domainStreamPrefixes })
      const store = commandStore(app.urls.eventStoreUrl)
      const bus = busOf(config)
      const now = () => new Date().toISOString()
      const relay = new Relay({ bus, events, store, serviceOf: serviceOfCategory, worker, log: silentLog, now })
      const stop = new AbortController()
      const ended = relay.run(stop.signal).then(
        () => 'in good order',
        error => (error as Error).name,
      )
      const close = async () => {
        stop.abort()
        const how = await ended
        await Promise.all([bus.close(), events.close(), store.close()])
        return how
      }
      return { relay, ended, close }
    }
    const first = make('first')
    await add('both-1')
    await untilRelayed()
    const second = make('second')
    for (let n = 0; n < 100; n++) await add(`both-${n + 2}`)
    expect(await first.ended).to.equal('LostRaceError')
    const { wanted, seen } = await untilRelayed()
    expect(seen).to.deep.equal(wanted)
    expect(await second.close()).to.equal('in good order')
    await first.close()
  })
})
