import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { connect } from 'node:http2'
import { connect as connectSocket } from 'node:net'
import { EventStoreDBClient, jsonEvent } from '@eventstore/db-client'
import { expect } from 'chai'
import { startEventStore } from '../../../infra/embedded/event-store/index.ts'
import { eventually } from '../../contracts/event-store/engines.ts'
import { append, batchCall, batchRequest, read, readRequest, subscribe } from '../../contracts/event-store/messages.ts'
import { RawClient, Status, streamsPath } from '../../contracts/event-store/raw.ts'

const LONG = process.env.KOGI_LONG !== undefined
const MEGABYTE = 1024 * 1024
const READS_LEFT = LONG ? 900 : 240

describe('the event store under bad clients', () => {
  let url: string
  let stop: () => Promise<void>
  let raw: RawClient

  beforeEach(async () => {
    const server = await startEventStore({ memory: true })
    url = server.url
    stop = server.close
    raw = new RawClient(url)
  })

  afterEach(async () => {
    raw.close()
    await stop()
  })

  /** Appends events of about 1 kB. */
  async function fill(count: number): Promise<void> {
    const data = Buffer.alloc(1000, 32)
    for (let sent = 0; sent < count; sent += 500) await append(raw, 'full', 'any', Array(500).fill({ data }))
  }

  it('keeps its memory when a live subscriber does not read, and the subscriber loses nothing', async () => {
    const live = subscribe(raw, { stream: 'full' })
    await live.next(1)
    live.call.stream.pause()
    const before = rssAnon()
    await fill(30_000)
    expect(rssAnon() - before, 'megabytes').to.be.below(120)
    live.call.stream.resume()
    await eventually('all events have come', () => live.call.messages.length >= 30_001, 15_000)
    const revisions = live
      .all()
      .filter(one => one.event)
      .map(one => Number(one.event!.revision))
    expect(revisions).to.deep.equal(Array.from({ length: 30_000 }, (_, n) => n))
    live.cancel()
  })

  it('serves a client that leaves hundreds of reads in the middle, and the calls beside them', async () => {
    await fill(1000)
    const client = EventStoreDBClient.connectionString(url)
    const live = client.subscribeToStream('live')
    let seen = 0
    live.on('data', () => seen++)
    for (let n = 0; n < READS_LEFT; n++) {
      const reading = client.readAll({ maxCount: 1000 })
      await once(reading, 'data')
      reading.on('error', () => {})
      await reading.cancel()
      if (n % 3 === 0) await client.appendToStream('live', jsonEvent({ type: 'T', data: { n } }))
    }
    await eventually('all events have come', () => seen === READS_LEFT / 3, 5000)
    await live.unsubscribe()
    await client.dispose()
  }).timeout(60_000)

  it('drops a live subscriber that takes nothing for long, as a real server does', async function () {
    if (!LONG) return this.skip() // It takes the ten seconds of patience.
    await fill(500)
    const live = subscribe(raw, { stream: 'full' })
    await live.next(502)
    live.call.stream.pause()
    await fill(30_000)
    await new Promise(resolve => setTimeout(resolve, 11_000))
    live.call.stream.resume()
    const { status, message } = await live.call.done
    expect(status).to.equal(Status.aborted)
    expect(message).to.equal(
      'Operation timed out: Consumer too slow to handle event while live. Client resubscription required.',
    )
  })

  it('lets go of readers, writers and connections that are abandoned', async () => {
    await fill(2000)
    for (let round = 0; round < (LONG ? 200 : 10); round++) {
      const other = new RawClient(url)
      const calls = [
        other.call(streamsPath('read')).send(readRequest({})).end(),
        subscribe(other, {}).call,
        batchCall(other).send(batchRequest('half', 'any', [{}], { isFinal: false })),
        other.call(streamsPath('append')),
      ]
      for (const call of calls) call.stream.pause()
      await Promise.race([calls[0]!.received(1), new Promise(resolve => setTimeout(resolve, 20))])
      if (round % 2) for (const call of calls) call.cancel()
      other.close()
    }
    expect((await read(raw, { stream: 'half' })).reads.map(one => one.kind)).to.deep.equal(['not found'])
    expect((await read(raw, { count: 1 })).status).to.equal(Status.ok)
  })

  it('refuses batches that are begun without end, and keeps the connection', async () => {
    const call = batchCall(raw)
    const metadata = Buffer.alloc(MEGABYTE)
    for (let n = 0; n < 70 && !call.stream.closed; n++) {
      call.send(batchRequest('endless', 'any', [{ metadata }], { isFinal: false }))
      await new Promise(setImmediate)
    }
    expect((await call.done).status).to.equal(Status.resourceExhausted)
    expect((await append(raw, 'after', 'any', [{}])).status).to.equal(Status.ok)
  })

  it('survives broken frames in the middle of a good connection', async () => {
    const { port, hostname } = new URL(url.replace('esdb:', 'http:'))
    for (let round = 0; round < 20; round++) {
      const session = connect(`http://${hostname}:${port}`)
      session.on('error', () => {})
      await new Promise(resolve => session.once('connect', resolve))
      session.destroy()
      const socket = connectSocket(Number(port), hostname)
      socket.on('error', () => {})
      socket.write('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n')
      // SETTINGS with a window that is too large.
      socket.write(Buffer.from([0, 0, 6, 4, 0, 0, 0, 0, 0, 0, 4, 255, 255, 255, 255]))
      socket.write(Buffer.from(Array.from({ length: 64 }, (_, n) => (n * round * 37) & 255)))
      await new Promise(resolve => setTimeout(resolve, 5))
      socket.destroy()
    }
    expect((await append(raw, 'after', 'any', [{}])).status).to.equal(Status.ok)
  })
})

/** Megabytes that this process has for itself, maps of files left out. */
function rssAnon(): number {
  const match = /^RssAnon:\s+(\d+) kB$/m.exec(readFileSync('/proc/self/status', 'utf8'))
  return Number(match?.[1] ?? 0) / 1024
}
