/** Reads of one stream: ranges, directions, ids, and what is refused. */
import { expect } from 'chai'
import { newStream, overEngines } from './engines.ts'
import { append, type Read, type ReadOptions, read, readRequest } from './messages.ts'
import { pb, Status, streamsPath } from './raw.ts'

const revisions = (reads: Read[]): number[] => reads.filter(one => one.event).map(one => Number(one.event!.revision))
const positions = (reads: Read[]) =>
  reads.filter(one => one.first !== undefined || one.last !== undefined).map(one => [one.kind, one.first ?? one.last])

overEngines('read', engine => {
  const refused = engine.isReal ? Status.unknown : Status.invalidArgument
  const stream = newStream()
  const ask = (options: ReadOptions) => read(engine.raw, { stream, ...options })

  before(async () => {
    await append(
      engine.raw,
      stream,
      'no_stream',
      Array(10).fill({ metadata: Buffer.from('{"m":1}'), data: Buffer.from('{}') }),
    )
  })

  it('answers a missing stream with a message, not an error', async () => {
    const answer = await read(engine.raw, { stream: newStream() })
    expect(answer.status).to.equal(Status.ok)
    expect(answer.reads.map(one => one.kind)).to.deep.equal(['not found'])
  })

  const ranges: [string, ReadOptions, number[]][] = [
    ['from the start', {}, [0, 1, 2, 3, 4, 5, 6, 7, 8, 9]],
    ['a few', { count: 3 }, [0, 1, 2]],
    ['from a revision, inclusive', { from: 7 }, [7, 8, 9]],
    ['from past the end', { from: 10 }, []],
    ['from the largest revision', { from: 2n ** 63n - 1n }, []],
    ['backwards from the end', { from: 'end', backwards: true, count: 3 }, [9, 8, 7]],
    ['backwards from a revision, inclusive', { from: 2, backwards: true }, [2, 1, 0]],
    ['backwards from the start: the first event', { from: 'start', backwards: true }, [0]],
    ['backwards from above the end', { from: 500, backwards: true, count: 2 }, [9, 8]],
    ['with the largest count', { count: String(2n ** 64n - 1n), from: 8 }, [8, 9]],
  ]
  for (const [title, options, expected] of ranges)
    it(`reads ${title}`, async () => {
      const answer = await ask(options)
      expect(answer.status).to.equal(Status.ok)
      expect(revisions(answer.reads)).to.deep.equal(expected)
    })

  it('refuses what the real server answers UNKNOWN', async () => {
    expect((await ask({ stream: newStream(), from: 'end' })).status).to.equal(refused)
    for (const options of [{ from: 2n ** 64n - 1n }, { from: 'end' as const }, { count: 0 }])
      expect(
        (await ask(options)).status,
        JSON.stringify(options, (_, v) => String(v)),
      ).to.equal(refused)
    expect((await read(engine.raw, { stream: '' })).status).to.equal(refused)
  })

  it('names the combination that is invalid', async () => {
    const answers = [
      [await ask({ count: 'none' }), '(Stream, None, Forwards, NoFilter)'],
      [await ask({ filter: 'none', backwards: true, from: 'end' }), '(Stream, Count, Backwards, None)'],
      [await ask({ filter: { stream: { prefixes: ['x'] } } }), '(Stream, Count, Forwards, Filter)'],
      [await read(engine.raw, { filter: 'none' }), '(All, Count, Forwards, None)'],
      [await ask({ count: 'subscription', backwards: true }), '(Stream, Subscription, Backwards, NoFilter)'],
    ] as const
    for (const [answer, combination] of answers) {
      expect(answer.status).to.equal(Status.invalidArgument)
      expect(answer.message).to.equal(`The combination of ${combination} is invalid.`)
    }
  })

  it('refuses a request without content', async function () {
    if (engine.isReal) return this.skip()
    for (const request of [new pb.ReadReq(), Buffer.from([0xff]), Buffer.from([0x0a, 0x7f, 0x01])])
      expect((await engine.raw.ask(streamsPath('read'), request)).status).to.equal(Status.invalidArgument)
  })

  it('sends ids in two signed halves when asked to', async () => {
    const [plain] = (await ask({ count: 1 })).reads
    const [structured] = (await ask({ count: 1, ids: 'structured' })).reads
    const { mostSignificantBits: high, leastSignificantBits: low } = structured!.event!.id.structured!
    const hex = [high, low].map(half => BigInt.asUintN(64, BigInt(half)).toString(16).padStart(16, '0')).join('')
    expect(hex).to.equal(plain!.event!.id.string.replaceAll('-', ''))
    expect({ ...structured!.event, id: 0 }).to.deep.equal({ ...plain!.event, id: 0 })
    expect(structured!.position).to.equal(plain!.event!.commit)
  })

  it('sends the first and last position of the stream when asked to be compatible', async () => {
    expect(positions((await ask({})).reads)).to.deep.equal([])
    const small = (await ask({ compatibility: 1, count: 2 })).reads
    expect(positions(small)).to.deep.equal([['last', 9]])
    expect(small.at(-1)!.kind).to.equal('last')
    const backwards = (await ask({ compatibility: 1, from: 'end', backwards: true })).reads
    expect(positions(backwards)).to.deep.equal([['last', 9]])
    expect(positions((await ask({ compatibility: 1, from: 10 })).reads)).to.deep.equal([['last', 9]])
    expect(positions((await ask({ compatibility: 1, from: 11 })).reads)).to.deep.equal([
      ['first', 10],
      ['last', 9],
    ])
    const missing = await read(engine.raw, { stream: newStream(), compatibility: 1 })
    expect(missing.reads.map(one => one.kind)).to.deep.equal(['not found'])
    expect(positions((await read(engine.raw, { compatibility: 1, count: 3 })).reads)).to.deep.equal([])
  })

  for (const [truncateBefore, expected] of [
    [31, [['last', 39]]],
    [
      32,
      [
        ['first', 32],
        ['last', 39],
      ],
    ],
    [
      40,
      [
        ['first', 40],
        ['last', 39],
      ],
    ],
    [
      50,
      [
        ['first', 50],
        ['first', 40],
        ['last', 39],
      ],
    ],
  ] as const)
    it(`sends the first position when a page is empty: $tb ${truncateBefore}`, async () => {
      const long = newStream()
      await append(engine.raw, long, 'no_stream', Array(40).fill({}))
      await append(engine.raw, `$$${long}`, 'any', [
        { type: '$metadata', data: Buffer.from(`{"$tb":${truncateBefore}}`) },
      ])
      const { reads } = await read(engine.raw, { stream: long, compatibility: 1 })
      expect(positions(reads)).to.deep.equal(expected)
      if (truncateBefore === 32) expect(reads[0]!.kind).to.equal('first')
    })

  it('sends the position behind the end when $tb lies behind it, within the first page', async () => {
    const short = newStream()
    await append(engine.raw, short, 'no_stream', [{}, {}])
    await append(engine.raw, `$$${short}`, 'any', [{ type: '$metadata', data: Buffer.from('{"$tb":5}') }])
    const { reads } = await read(engine.raw, { stream: short, compatibility: 1 })
    expect(positions(reads)).to.deep.equal([
      ['first', 2],
      ['last', 1],
    ])
  })

  it('ends at a deadline', async () => {
    const call = engine.raw.call(streamsPath('read'), { 'grpc-timeout': '50m' })
    call.send(readRequest({ stream, count: 'subscription' })).end()
    expect((await call.done).status).to.be.oneOf([Status.deadlineExceeded, undefined])
  })
})
