/** Append: its answers, its limits, and what it refuses. */
import { randomUUID } from 'node:crypto'
import { expect } from 'chai'
import { type Engine, newStream, overEngines } from './engines.ts'
import { append, appendOptions, type Expected, identifier, type Proposed, proposal, read } from './messages.ts'
import { pb, Status, streamsPath } from './raw.ts'

const MEGABYTE = 1_048_576
/** Events of one large append: a real server took 100,000. */
const MANY = process.env.KOGI_LONG ? 100_000 : 20_000
const MINUS_ONE = 2 ** 64

overEngines('append', engine => {
  const three = (): Proposed[] => [{ id: randomUUID() }, { id: randomUUID() }, { id: randomUUID() }]

  async function seeded(count: number): Promise<string> {
    const stream = newStream()
    await append(engine.raw, stream, 'no_stream', Array(count).fill({}))
    return stream
  }

  it('answers with revision and position of the last event', async () => {
    const stream = newStream()
    const { result, status } = await append(engine.raw, stream, 'no_stream', three())
    const { reads } = await read(engine.raw, { stream })
    expect(status).to.equal(Status.ok)
    expect(result?.success?.currentRevision).to.equal('2')
    expect(BigInt(result!.success!.position!.commitPosition)).to.equal(reads[2]!.event!.commit)
    expect(reads[2]!.event!.prepare).to.equal(reads[2]!.event!.commit)
  })

  it('spaces positions by 90 bytes and the lengths of name, type, data and metadata', async () => {
    const stream = newStream()
    const first = { type: 'Short', data: Buffer.alloc(100), metadata: Buffer.alloc(17) }
    await append(engine.raw, stream, 'no_stream', [first, {}])
    const { reads } = await read(engine.raw, { stream })
    const distance = Number(reads[1]!.event!.commit - reads[0]!.event!.commit)
    expect(distance).to.equal(90 + stream.length + 5 + 100 + 17)
  })

  const wrong: [string, Expected, number | undefined, Record<string, unknown>][] = [
    ['no_stream', 'no_stream', 3, { currentRevision: '2', expectedNoStream: {}, expectedRevision2060: MINUS_ONE }],
    ['a revision above', 99, 3, { currentRevision: '2', expectedRevision: '99', expectedRevision2060: 99 }],
    [
      'stream_exists',
      'stream_exists',
      undefined,
      { currentNoStream: {}, expectedStreamExists: {}, streamExists2060: {} },
    ],
    ['revision 0 of nothing', 0, undefined, { currentNoStream: {}, expectedRevision: '0', expectedRevision2060: 0 }],
    ['revision 5 of nothing', 5, undefined, { currentNoStream: {}, expectedRevision: '5', expectedRevision2060: 5 }],
  ]
  for (const [title, expected, count, fields] of wrong)
    it(`answers a wrong expectation (${title}) as a response in both sets of fields`, async () => {
      const stream = count === undefined ? newStream() : await seeded(count)
      const { result, status } = await append(engine.raw, stream, expected, [{}])
      expect(status).to.equal(Status.ok)
      expect(result?.wrongExpectedVersion).to.include.keys(...Object.keys(fields))
      for (const [key, value] of Object.entries(fields))
        expect(result!.wrongExpectedVersion![key as never], key).to.deep.equal(value)
    })

  it('accepts no events at all, checks the expectation, and leaves nothing to read', async () => {
    const stream = newStream()
    const { result } = await append(engine.raw, stream, 'any', [])
    expect(result?.success?.noStream).to.deep.equal({})
    expect(Number(result!.success!.position!.commitPosition)).to.be.greaterThan(0)
    expect((await append(engine.raw, stream, 4, [])).result?.wrongExpectedVersion).to.not.equal(undefined)
    expect((await read(engine.raw, { stream })).reads.map(one => one.kind)).to.deep.equal(['not found'])
    const { result: next } = await append(engine.raw, stream, 'no_stream', [{}])
    const distance = Number(next!.success!.position!.commitPosition) - Number(result!.success!.position!.commitPosition)
    expect(distance).to.be.at.least(90 + stream.length)
    const from = BigInt(result!.success!.position!.commitPosition)
    expect((await read(engine.raw, { from })).reads.at(-1)!.event!.stream).to.equal(stream)
  })

  it('keeps type and content type, sets the creation time, and drops the rest of the map', async () => {
    const stream = newStream()
    const before = Date.now()
    await append(engine.raw, stream, 'any', [
      {
        type: 'Json',
        contentType: 'application/json',
        data: Buffer.from('not json'),
        extra: { created: '1', other: 'x' },
      },
      { type: '$mine', contentType: 'text/plain', data: Buffer.from([0, 255]) },
      { type: 'Ünï / ?', contentType: '' },
    ])
    const maps = (await read(engine.raw, { stream })).reads.map(one => one.event!.map)
    for (const map of maps) expect(Object.keys(map).sort()).to.deep.equal(['content-type', 'created', 'type'])
    expect(maps.map(map => map['content-type'])).to.deep.equal([
      'application/json',
      'application/octet-stream',
      'application/octet-stream',
    ])
    expect(maps[0]!.created).to.match(/^\d{17}$/)
    expect(Number(maps[0]!.created) / 10_000).to.be.within(before - 60_000, Date.now() + 60_000)
    expect(maps[2]!.type).to.equal('Ünï / ?')
  })

  it('takes long names, strange names and $ names', async () => {
    const long = `${newStream()}${'n'.repeat(100_000)}`
    for (const stream of [long, `ü ${randomUUID()}/?`, `$${randomUUID()}`]) {
      await append(engine.raw, stream, 'no_stream', [{ type: 't'.repeat(stream === long ? 100_000 : 5) }])
      const [only] = (await read(engine.raw, { stream })).reads
      expect(only!.event!.stream).to.equal(stream)
    }
    const { result } = await append(engine.raw, long, 'no_stream', [{}])
    expect(result?.wrongExpectedVersion?.currentRevision).to.equal('0')
  })

  it('takes $all as the name of an ordinary stream', async () => {
    const { result } = await append(engine.raw, '$all', 'any', [{ type: 'InAll' }])
    const { reads } = await read(engine.raw, { stream: '$all', from: BigInt(result!.success!.currentRevision) })
    expect(reads[0]!.event!.map.type).to.equal('InAll')
  })

  it('takes structured ids', async () => {
    const stream = newStream()
    const request = proposal({ id: null })
    const id = new (Object.getPrototypeOf(proposal({}).getProposedMessage()!.getId()!).constructor)()
    id.setStructured(structured('1', '-2'))
    request.getProposedMessage()!.setId(id)
    await engine.raw.ask(streamsPath('append'), appendOptions(stream, 'any'), request)
    const [only] = (await read(engine.raw, { stream })).reads
    expect(only!.event!.id.string).to.equal('00000000-0000-0001-ffff-fffffffffffe')
  })

  function structured(high: string, low: string) {
    const message = new (sharedUuid().Structured)()
    message.setMostSignificantBits(high)
    message.setLeastSignificantBits(low)
    return message
  }

  it('limits the sum of the data of one write to 1 MiB, and counts nothing else', async () => {
    const stream = newStream()
    const half = Buffer.alloc(MEGABYTE / 2)
    const metadata = Buffer.alloc(2 * MEGABYTE)
    const fits = await append(engine.raw, stream, 'any', [{ data: half, metadata }, { data: half }])
    expect(fits.result?.success?.currentRevision).to.equal('1')
    const tooMuch = await append(engine.raw, stream, 77, [{ data: half }, { data: half }, { data: Buffer.alloc(1) }])
    expect(tooMuch.status).to.equal(Status.invalidArgument)
    expect(tooMuch.message).to.equal('Maximum Append Size of 1048576 Exceeded.')
    expect(tooMuch.trailers).to.include({
      exception: 'maximum-append-size-exceeded',
      'maximum-append-size': '1048576',
    })
  })

  it('refuses a message of 20 MiB', async () => {
    const answer = await append(engine.raw, newStream(), 'any', [{ data: Buffer.alloc(20 * MEGABYTE) }])
    expect(answer.status).to.equal(Status.resourceExhausted)
  })

  it(`takes ${MANY} empty events in one append`, async () => {
    const stream = newStream()
    const call = engine.raw.call(streamsPath('append')).send(appendOptions(stream, 'no_stream'))
    for (let sent = 0; sent < MANY; sent += 5000) call.send(...Array.from({ length: 5000 }, () => proposal()))
    const { messages } = await call.end().done
    expect(pb.AppendResp.deserializeBinary(messages[0]!).getSuccess()!.getCurrentRevision()).to.equal(String(MANY - 1))
  }).timeout(20_000)

  badInput(engine)
})

function sharedUuid() {
  const id = proposal({}).getProposedMessage()!.getId()!
  return Object.getPrototypeOf(id).constructor
}

/** The real server answers most of these UNKNOWN, and the embedded one says what is wrong. */
function badInput(engine: Engine): void {
  const refused = engine.isReal ? Status.unknown : Status.invalidArgument
  const nil = '00000000-0000-0000-0000-000000000000'

  it('refuses an append without type or content type, and names the properties', async () => {
    for (const property of ['type', 'content-type']) {
      const proposed = property === 'type' ? { type: null } : { contentType: null }
      const answer = await append(engine.raw, newStream(), 'any', [proposed])
      expect(answer.status).to.equal(Status.invalidArgument)
      expect(answer.message).to.equal(`Required Metadata Property '${property}' is missing`)
      expect(answer.trailers).to.include({
        exception: 'missing-required-metadata-property',
        'required-metadata-properties': 'type,content-type',
      })
    }
  })

  it('refuses an append that expects nothing', async () => {
    const answer = await append(engine.raw, newStream(), 'none', [{}])
    expect(answer.status).to.equal(Status.invalidArgument)
    expect(answer.message).to.match(/^'None' is not a valid .*ExpectedStreamRevisionOneofCase$/)
  })

  const cases: [string, (stream: string) => Promise<{ status: number | undefined }>][] = [
    ['an empty type', stream => append(engine.raw, stream, 'any', [{ type: '' }])],
    ['an empty stream name', () => append(engine.raw, '', 'any', [{}])],
    ['no stream name', () => append(engine.raw, undefined, 'any', [{}])],
    ['no id', stream => append(engine.raw, stream, 'any', [{ id: null }])],
    ['an id that is no UUID', stream => append(engine.raw, stream, 'any', [{ id: 'x' }])],
    ['an id of zeros', stream => append(engine.raw, stream, 'any', [{ id: nil }])],
    ['no message', () => engine.raw.ask(streamsPath('append'))],
    [
      'an event before the options',
      stream => engine.raw.ask(streamsPath('append'), proposal(), appendOptions(stream, 'any')),
    ],
    [
      'the options twice',
      stream => engine.raw.ask(streamsPath('append'), appendOptions(stream, 'any'), appendOptions(stream, 'any')),
    ],
    [
      'an empty request',
      stream => engine.raw.ask(streamsPath('append'), appendOptions(stream, 'any'), new pb.AppendReq()),
    ],
  ]
  for (const [title, attempt] of cases)
    it(`refuses ${title}, and writes nothing`, async () => {
      const stream = newStream()
      expect((await attempt(stream)).status).to.equal(refused)
      expect((await read(engine.raw, { stream })).reads.map(one => one.kind)).to.deep.equal(['not found'])
    })

  it('refuses a reserved stream name', async function () {
    if (engine.isReal) return this.skip()
    const answer = await append(engine.raw, '$$$$', 'any', [{}])
    expect([answer.status, answer.message]).to.deep.equal([
      Status.invalidArgument,
      "The stream name '$$$$' is reserved",
    ])
  })

  it('refuses a stream name that is no UTF-8', async function () {
    if (engine.isReal) return this.skip()
    const request = appendOptions('x', 'any')
    request.getOptions()!.setStreamIdentifier(identifier(Buffer.from([0xff, 0xfe])))
    expect((await engine.raw.ask(streamsPath('append'), request, proposal())).status).to.equal(Status.invalidArgument)
  })
}
