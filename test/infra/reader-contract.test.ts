/** The lean reader of `$all` delivers what the stock client's subscription delivers, on every engine. */
import { setTimeout as sleep } from 'node:timers/promises'
import { type AllStreamResolvedEvent, type ResolvedEvent, START, streamNameFilter } from '@eventstore/db-client'
import { expect } from 'chai'
import type { StoredEvent } from '../../domain/kernel/event.ts'
import { eventLog } from '../../infra/event-store/reader.ts'
import type { EventLog } from '../../projections/ports.ts'
import { collect, type Engine, newStream, overEngines } from '../contracts/event-store/engines.ts'
import { append, deleteRequest, type Proposed } from '../contracts/event-store/messages.ts'
import { streamsPath } from '../contracts/event-store/raw.ts'
import { randomOf } from '../projections/history.ts'

const LONG = process.env.KOGI_LONG === '1'
const SEED = Number(process.env.KOGI_SEED ?? Date.now() % 1_000_000)
const STEPS = LONG ? 3_000 : 120
const MALFORMED = '{"bad":'

type Random = (n: number) => number

/** A log that grows by random steps of every kind that a reader may meet. */
class MixedLog {
  readonly prefixes: readonly string[]
  readonly #engine: Engine
  readonly #random: Random
  readonly #name: string
  #gone = 0

  constructor(engine: Engine, random: Random) {
    this.#engine = engine
    this.#random = random
    this.#name = newStream('mixed').replaceAll('-', '')
    this.prefixes = [`${this.#name}a-`, `${this.#name}b-`]
  }

  async step(): Promise<void> {
    const { raw, client } = this.#engine
    const random = this.#random
    // Streams of c-, a and snapshots do not match the prefixes.
    const category = ['a-', 'b-', 'a-', 'b-', 'c-', 'a', 'a_snapshot-'][random(7)]
    const stream = `${this.#name}${category}${random(5)}`
    const kind = random(20)
    if (kind === 0) await raw.ask(streamsPath('delete'), deleteRequest(stream, 'any'))
    else if (kind === 1) await client.setStreamMetadata(stream, { maxCount: 1 + random(3) })
    else if (kind === 2) await client.setStreamMetadata(stream, { truncateBefore: random(9), custom: '東京' })
    else if (kind === 3) {
      this.#gone += 1
      const doomed = `${stream}-${this.#gone}`
      await append(raw, doomed, 'any', [this.#event()])
      await raw.ask(streamsPath('tombstone'), deleteRequest(doomed, 'any', true))
    } else if (kind === 4) {
      const link = { type: '$>', data: Buffer.from(`0@${this.#name}a-0`), contentType: 'application/octet-stream' }
      await append(raw, stream, 'any', [link])
    } else {
      await append(
        raw,
        stream,
        'any',
        Array.from({ length: 1 + random(4) }, () => this.#event()),
      )
    }
  }

  #event(): Proposed {
    const random = this.#random
    const contents = [
      JSON.stringify({ n: random(1_000), text: 'zürich 😀 "q" \\', deep: [{ a: null }] }),
      'null',
      '"text"',
      '[1,2.5]',
      '',
      `${MALFORMED}${random(9)}`,
      Buffer.from([0xff, random(256), 0]),
    ].map(content => Buffer.from(content as string))
    const content = () => contents[random(4) > 0 ? 0 : random(contents.length)]!
    const contentType = random(4) > 0 ? 'application/json' : 'application/octet-stream'
    return { type: ['Opened', '$system', 'späť 😀'][random(3)]!, contentType, data: content(), metadata: content() }
  }
}

/** An event of the stock client in the form that projections fold. */
function stored({ event }: ResolvedEvent | AllStreamResolvedEvent): StoredEvent {
  const { type, data, metadata, id, streamId, revision, isJson, position } = event!
  const isMalformed = typeof data === 'string' && (data === '' || data.startsWith(MALFORMED) || data.includes('\ufffd'))
  return {
    type,
    data: (isJson && !isMalformed ? data : null) as StoredEvent['data'],
    metadata: (metadata instanceof Uint8Array ? {} : (metadata ?? {})) as StoredEvent['metadata'],
    eventId: id,
    stream: streamId,
    revision,
    position: position!.commit,
  }
}

/** What the stock client delivers from the start until it has caught up, or until there are `count` events. */
function stock({ client }: Engine, prefixes: readonly string[], enough?: (count: number) => boolean) {
  return new Promise<StoredEvent[]>((resolve, reject) => {
    const found: StoredEvent[] = []
    const filter = streamNameFilter({ prefixes: [...prefixes] })
    const subscription = client.subscribeToAll({ fromPosition: START, filter })
    const end = () => void subscription.unsubscribe().then(() => resolve(found), reject)
    subscription.on('data', event => {
      found.push(stored(event))
      if (enough?.(found.length)) end()
    })
    subscription.on('error', reject)
    if (!enough) subscription.on('caughtUp', end)
  })
}

async function readAll(log: EventLog, after: bigint, to: bigint, max: number): Promise<StoredEvent[]> {
  const found: StoredEvent[] = []
  for await (const list of log.read({ after, to, max })) {
    expect(list.length).to.be.within(1, max)
    found.push(...list)
  }
  return found
}

/** Follows until `enough` answers true, which is called after each list and when all stored events have come. */
async function followed(log: EventLog, after: bigint, enough: (count: number, live: boolean) => boolean) {
  const found: StoredEvent[] = []
  const abort = new AbortController()
  let live = false
  const onStatus = ({ state }: { state: string }) => {
    live ||= state === 'live'
    if (enough(found.length, live)) abort.abort()
  }
  for await (const list of log.follow({ after, max: () => 50, signal: abort.signal, onStatus })) {
    found.push(...list)
    if (enough(found.length, live)) abort.abort()
  }
  return found
}

overEngines(`the lean reader and the stock client (KOGI_SEED=${SEED})`, engine => {
  const random = randomOf(SEED)
  let mixed: MixedLog
  let log: EventLog & { close: () => Promise<void> }
  let all: StoredEvent[]

  before(async function fill() {
    this.timeout(120_000)
    mixed = new MixedLog(engine, random)
    for (let step = 0; step < STEPS; step += 1) await mixed.step()
    log = eventLog({ url: engine.url, prefixes: mixed.prefixes })
    all = await stock(engine, mixed.prefixes)
  })
  after(() => log.close())

  it('agree on the whole of a mixed log', async () => {
    expect(all.length).to.be.greaterThan(STEPS / 2)
    expect(await log.head()).to.equal(all.at(-1)!.position)
    expect(await readAll(log, 0n, all.at(-1)!.position, 7)).to.deep.equal(all)
    expect(await followed(log, 0n, (_, live) => live)).to.deep.equal(all)
  })

  it('agree from any position and up to any other', async function middles() {
    this.timeout(120_000)
    for (let n = 0; n < (LONG ? 100 : 12); n += 1) {
      const [from, to] = [random(all.length), random(all.length)]
      const expected = all.slice(from + 1, to + 1)
      const found = await readAll(log, all[from]!.position, all[to]!.position, 1 + random(9))
      expect(found, `${from} to ${to}`).to.deep.equal(expected)
      expect(await followed(log, all[from]!.position, (_, live) => live)).to.deep.equal(all.slice(from + 1))
    }
  })

  it('agree up to a position at which an event of others stands', async () => {
    const others = newStream('others')
    await append(engine.raw, others, 'any', [{ data: Buffer.from('{}') }])
    const [last] = await collect(engine.client.readStream(others))
    const to = last!.event!.position!.commit
    expect(await readAll(log, 0n, to, 7)).to.deep.equal(all)
    expect(await readAll(log, all.at(-1)!.position, to, 7)).to.deep.equal([])
  })

  it('agree while events are appended', async function live() {
    this.timeout(120_000)
    let total = Number.POSITIVE_INFINITY
    const from = random(all.length)
    const readers = [
      stock(engine, mixed.prefixes, count => count >= total),
      followed(log, 0n, count => count >= total),
      followed(log, all[from]!.position, count => count >= total - from - 1),
      followed(log, all.at(-1)!.position, count => count >= total - all.length),
    ]
    for (let step = 0; step < STEPS / 2; step += 1) {
      await mixed.step()
      if (step % 20 === 0) await sleep(random(15))
    }
    total = (await stock(engine, mixed.prefixes)).length + 1
    // One more, so that every reader looks at the total again.
    await append(engine.raw, `${mixed.prefixes[0]}last`, 'any', [{ data: Buffer.from('{}') }])
    const [expected, ...found] = await Promise.all(readers)
    expect(expected!.length).to.equal(total)
    expect(found[0]).to.deep.equal(expected)
    expect(found[1]).to.deep.equal(expected!.slice(from + 1))
    expect(found[2]).to.deep.equal(expected!.slice(all.length))
  })
})
