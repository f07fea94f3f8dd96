/** Checkpoints of filtered subscriptions: when they come, and which position they name. */
import { expect } from 'chai'
import { newStream, overEngines } from './engines.ts'
import { append, type Read, read, subscribe } from './messages.ts'

overEngines('checkpoints', engine => {
  const noise = newStream('noise')
  const add = (stream: string, count: number) => append(engine.raw, stream, 'any', Array(count).fill({}))
  const nothing = { stream: { prefixes: ['matches nothing '] } }
  let positions: bigint[] = [0n]

  /** How many events of the log a checkpoint has behind it. */
  const indexOf = (position: bigint | undefined): number => positions.indexOf(position!)
  const checkpoints = (reads: Read[]) =>
    reads.filter(one => one.checkpoint !== undefined).map(one => indexOf(one.checkpoint))

  before(async function () {
    // A log that was written to before has its windows elsewhere.
    if (engine.isReal && (await read(engine.raw, { count: 2 })).reads.length > 1) return this.skip()
    await add(noise, 1000)
    await reload()
  })

  async function reload(): Promise<void> {
    positions = [0n, ...(await read(engine.raw, {})).reads.map(one => one.event!.commit)]
  }

  async function untilCaughtUp(filter: object, matches = 0): Promise<Read[]> {
    const live = subscribe(engine.raw, { filter })
    let reads: Read[] = []
    while (reads.at(-1)?.kind !== 'caught up') {
      const before = reads.length
      reads = await live.next(before + 1)
      expect(reads.length, 'messages before the call was closed').to.be.greaterThan(before)
    }
    live.cancel()
    expect(reads.filter(one => one.kind === 'event')).to.have.length(matches)
    return reads
  }

  const cases: [string, object, number[]][] = [
    ['32 × 10', { max: 32, multiplier: 10 }, [288, 608, 928]],
    ['100 × 3', { max: 100, multiplier: 3 }, [200, 500, 800]],
    ['200 × 1', { max: 200, multiplier: 1 }, [0, 200, 400, 600, 800]],
    ['count × 10', { window: 'count', multiplier: 10 }, [288, 608, 928]],
  ]
  for (const [title, window, expected] of cases)
    it(`come each ${title} events looked at, and not at the end`, async () => {
      expect(checkpoints(await untilCaughtUp({ ...nothing, ...window }))).to.deep.equal(expected)
    })

  it('name the last match of a window that has one', async () => {
    const stream = newStream('match')
    await add(stream, 2)
    await add(noise, 100)
    await reload()
    const filter = { stream: { prefixes: [stream] }, max: 50, multiplier: 1 }
    const reads = await untilCaughtUp(filter, 2)
    const second = reads.filter(one => one.kind === 'event')[1]!
    const after = reads.slice(reads.indexOf(second) + 1)
    expect(after[0]!.checkpoint).to.equal(second.event!.commit)
  })

  it('count the hidden first record of the log', async () => {
    const live = subscribe(engine.raw, { filter: { stream: { prefixes: [''] }, max: 32, multiplier: 1 } })
    const reads = await live.next(1 + 31 + 1)
    expect(reads.map(one => one.kind).indexOf('checkpoint')).to.equal(32)
    expect(reads[32]!.checkpoint).to.equal(reads[31]!.event!.commit)
    live.cancel()
  })

  it('name the first event of a window without a match, from a position on', async () => {
    const live = subscribe(engine.raw, { filter: { ...nothing, max: 10, multiplier: 1 }, from: positions[100]! })
    expect(checkpoints(await live.next(3))).to.deep.equal([101, 111])
    live.cancel()
  })

  it('go on when live, each 32 × 5 events, and follow a match at its position', async () => {
    const stream = newStream('live')
    const live = subscribe(engine.raw, {
      filter: { stream: { prefixes: [stream] }, max: 32, multiplier: 5 },
      from: 'end',
    })
    await live.next(2)
    await add(noise, 159)
    await add(stream, 1)
    const reads = await live.next(4)
    expect(reads.map(one => one.kind)).to.deep.equal(['confirmation', 'caught up', 'event', 'checkpoint'])
    expect(reads[3]!.checkpoint).to.equal(reads[2]!.event!.commit)
    await add(noise, 320)
    await reload()
    expect(checkpoints((await live.next(6)).slice(4))).to.deep.equal([positions.length - 1 - 160, positions.length - 1])
    live.cancel()
  })

  it('are not sent without a filter', async () => {
    const live = subscribe(engine.raw, {})
    const reads = await live.next(positions.length + 1)
    expect(reads.filter(one => one.checkpoint !== undefined)).to.have.length(0)
    expect(reads.at(-1)!.kind).to.equal('caught up')
    live.cancel()
  })
})
