/** Subscriptions: where they begin, what they deliver, and how they end. */
import { expect } from 'chai'
import { eventually, newStream, overEngines } from './engines.ts'
import { append, deleteRequest, type Read, type ReadOptions, read, subscribe } from './messages.ts'
import { type RawCall, Status, streamsPath } from './raw.ts'

const shown = (reads: Read[]): (string | number)[] =>
  reads.map(one => (one.kind === 'event' ? Number(one.event!.revision) : one.kind))
const pause = (ms: number) => new Promise(resolve => setTimeout(resolve, ms))

overEngines('subscribe', engine => {
  const refused = engine.isReal ? Status.unknown : Status.invalidArgument
  const add = (stream: string, count: number) => append(engine.raw, stream, 'any', Array(count).fill({}))
  const mine = (stream: string): ReadOptions => ({ filter: { stream: { prefixes: [stream] }, multiplier: 100_000 } })

  async function seeded(count: number): Promise<string> {
    const stream = newStream()
    await add(stream, count)
    return stream
  }

  const starts: [string, 'start' | 'end' | number, (string | number)[]][] = [
    ['the start', 'start', ['confirmation', 0, 1, 2, 'caught up', 3, 4]],
    ['a revision, exclusive', 1, ['confirmation', 2, 'caught up', 3, 4]],
    ['the end', 'end', ['confirmation', 'caught up', 3, 4]],
    ['the last revision', 2, ['confirmation', 'caught up', 3, 4]],
    ['beyond the end', 3, ['confirmation', 'caught up', 4]],
  ]
  for (const [title, from, expected] of starts)
    it(`to a stream from ${title}: stored events, caught up, live events`, async () => {
      const stream = await seeded(3)
      const live = subscribe(engine.raw, { stream, from })
      await live.next(expected.indexOf('caught up') + 1)
      await add(stream, 1)
      await add(stream, 1)
      expect(shown(await live.next(expected.length))).to.deep.equal(expected)
      expect(live.all()[0]!.subscription).to.match(/^[0-9a-f-]{36}$/)
      live.cancel()
    })

  it('to $all from the start, a position and the end', async () => {
    const stream = await seeded(3)
    const positions = (await read(engine.raw, { stream })).reads.map(one => one.event!.commit)
    const all = subscribe(engine.raw, mine(stream))
    const behind = subscribe(engine.raw, { ...mine(stream), from: positions[1]! })
    const live = subscribe(engine.raw, { ...mine(stream), from: 'end' })
    const plain = subscribe(engine.raw, { from: positions[1]! })
    const subscriptions = [all, behind, live]
    for (const [n, one] of [5, 3, 2].entries()) await subscriptions[n]!.next(one)
    await add(stream, 1)
    expect(shown(await all.next(6))).to.deep.equal(['confirmation', 0, 1, 2, 'caught up', 3])
    expect(shown(await behind.next(4))).to.deep.equal(['confirmation', 2, 'caught up', 3])
    expect(shown(await live.next(3))).to.deep.equal(['confirmation', 'caught up', 3])
    await eventually('the unfiltered one follows', () => shown(plain.all()).at(-1) === 3)
    for (const one of [...subscriptions, plain]) one.cancel()
  })

  it('to $all from beyond the end: what comes live is delivered', async () => {
    const live = subscribe(engine.raw, { from: 1_000_000_000_000n })
    await live.next(2)
    const stream = await seeded(1)
    await eventually('the event comes', () => live.all().some(one => one.event?.stream === stream))
    live.cancel()
  })

  it('to a stream that does not exist: not caught up before its first event', async () => {
    const deleted = await seeded(2)
    await engine.raw.ask(streamsPath('delete'), deleteRequest(deleted, 'any'))
    for (const [stream, first] of [
      [newStream(), 0],
      [deleted, 2],
    ] as const) {
      const live = subscribe(engine.raw, { stream })
      await live.next(1)
      await pause(50)
      expect(shown(live.all())).to.deep.equal(['confirmation'])
      await add(stream, 1)
      expect(shown(await live.next(3))).to.deep.equal(['confirmation', first, 'caught up'])
      live.cancel()
    }
  })

  it('from the end of a stream that does not exist: caught up at once', async () => {
    const stream = newStream()
    const live = subscribe(engine.raw, { stream, from: 'end' })
    expect(shown(await live.next(2))).to.deep.equal(['confirmation', 'caught up'])
    await add(stream, 1)
    expect(shown(await live.next(3)).at(-1)).to.equal(0)
    live.cancel()
  })

  it('is not told of a soft deletion, and goes on with what comes after', async () => {
    const stream = await seeded(1)
    const live = subscribe(engine.raw, { stream })
    await live.next(3)
    await engine.raw.ask(streamsPath('delete'), deleteRequest(stream, 'any'))
    await add(stream, 1)
    expect(shown(await live.next(4))).to.deep.equal(['confirmation', 0, 'caught up', 1])
    live.cancel()
  })

  it('gets the tombstone and then the error', async () => {
    const stream = await seeded(1)
    const live = subscribe(engine.raw, { stream })
    await live.next(3)
    await engine.raw.ask(streamsPath('tombstone'), deleteRequest(stream, 'any', true))
    const { status, trailers } = await live.call.done
    expect(live.all().at(-1)!.event!.map.type).to.equal('$streamDeleted')
    expect(status).to.equal(Status.failedPrecondition)
    expect(trailers.exception).to.equal('stream-deleted')
  })

  it('is refused backwards, from inside a record, and with a checkpoint multiplier of 0', async () => {
    const stream = await seeded(2)
    const [first] = (await read(engine.raw, { stream })).reads
    const backwards = await subscribe(engine.raw, { backwards: true }).call.done
    expect(backwards.status).to.equal(Status.invalidArgument)
    const inside = await subscribe(engine.raw, { from: first!.event!.commit + 3n }).call.done
    expect(inside.status).to.equal(refused)
    const never = await subscribe(engine.raw, { filter: { stream: { prefixes: [''] }, multiplier: 0 } }).call.done
    expect(never.status).to.equal(refused)
  })

  it('sends no first and last position', async () => {
    const stream = await seeded(2)
    const live = subscribe(engine.raw, { stream, compatibility: 1 })
    expect(shown(await live.next(4))).to.deep.equal(['confirmation', 0, 1, 'caught up'])
    live.cancel()
  })

  it('misses and doubles nothing where stored events end and live ones begin', async () => {
    const stream = newStream()
    // Not from the start: a server that was used before would first look at all that is in its log.
    const before = (await append(engine.raw, newStream(), 'any', [{}])).result!.success!.position!
    const from = BigInt(before.commitPosition)
    let written = 0
    let isDone = false
    const writing = (async () => {
      while (!isDone) {
        await add(stream, 7)
        written += 7
      }
    })()
    await pause(30)
    const subscriptions = []
    for (let n = 0; n < 20; n++) {
      subscriptions.push(subscribe(engine.raw, n % 2 ? { stream } : { ...mine(stream), from }))
      await pause(10)
    }
    isDone = true
    await writing
    for (const one of subscriptions) {
      const count = (kind: string) => one.all().filter(read => read.kind === kind).length
      const isComplete = () => count('event') >= written && count('caught up') > 0
      await eventually('all events have come', () => isComplete() || one.call.stream.closed)
      const revisions = shown(one.all()).filter(revision => typeof revision === 'number')
      expect(revisions).to.deep.equal(Array.from(revisions, (_, revision) => revision))
      if (one.call.stream.closed) await expectTooSlow(one.call)
      else expect([revisions.length, count('caught up')]).to.deep.equal([written, 1])
      one.cancel()
    }
  })

  /** The real server ends a subscription that a busy machine serves too slowly; what it sent is without a gap. */
  async function expectTooSlow(call: RawCall): Promise<void> {
    const { status, message } = await call.done
    expect([engine.isReal, status]).to.deep.equal([true, Status.aborted])
    expect(message).to.match(/^Operation timed out: Consumer too slow to handle event while /)
  }

  it('ends a deadline and an abandoned call without harm', async () => {
    const stream = await seeded(1)
    const calls = Array.from({ length: 50 }, () => subscribe(engine.raw, { stream }))
    await Promise.all(calls.map(one => one.next(2)))
    for (const one of calls) one.cancel()
    await Promise.all(calls.map(one => one.call.done))
    expect((await read(engine.raw, { stream })).reads).to.have.length(1)
  })
})
