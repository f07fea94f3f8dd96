/** Repeated appends: which are recognised, and what they answer. */
import { randomUUID } from 'node:crypto'
import { expect } from 'chai'
import { newStream, overEngines } from './engines.ts'
import { append, deleteRequest, type Expected, read } from './messages.ts'
import { Status, streamsPath } from './raw.ts'

/** Whether a repeat that came while the first was being written was answered with a timeout, as a server may do. */
function isUndecided({ status, message }: { status: number | undefined; message: string }): boolean {
  return status === Status.aborted && message === 'Operation timed out: Commit phase timeout.'
}

type Outcome = { revision: number } | 'wrong' | 'again'

overEngines('idempotency', engine => {
  /** A stream that holds e0, e1, e2, written together. */
  async function written() {
    const stream = newStream()
    const [e0, e1, e2] = [randomUUID(), randomUUID(), randomUUID()]
    await append(engine.raw, stream, 'no_stream', [{ id: e0 }, { id: e1 }, { id: e2 }])
    const positions = (await read(engine.raw, { stream })).reads.map(one => one.event!.commit)
    return { stream, ids: { e0, e1, e2, new: randomUUID() } as Record<string, string>, positions }
  }

  const ok = (revision: number): Outcome => ({ revision })
  const table: [names: string, expected: Expected, outcome: Outcome][] = [
    ['e0,e1,e2', 'any', ok(2)],
    ['e0,e1,e2', 'stream_exists', ok(2)],
    ['e0,e1,e2', 'no_stream', ok(2)],
    ['e0,e1,e2', 2, 'again'],
    ['e0,e1', 'any', ok(1)],
    ['e0,e1', 'no_stream', ok(1)],
    ['e1,e2', 'any', ok(2)],
    ['e1,e2', 0, ok(2)],
    ['e1', 'any', ok(1)],
    ['e1', 'no_stream', 'wrong'],
    ['e1', 0, ok(1)],
    ['e1', 1, 'wrong'],
    ['e1,e2,new', 'any', 'wrong'],
    ['e1,e2,new', 'stream_exists', 'wrong'],
    ['e1,e2,new', 'no_stream', 'wrong'],
    ['e1,e2,new', 0, 'wrong'],
    ['e0,e1,e2,new', 'any', 'wrong'],
    ['e0,e1,e2,new', 'no_stream', 'wrong'],
    ['new,e2', 'any', 'again'],
    ['new,e2', 2, 'again'],
    ['e1,e0', 'any', ok(0)],
    ['e0,e2', 'any', ok(2)],
    ['e0,e0', 'any', ok(0)],
  ]
  for (const [names, expected, outcome] of table)
    it(`${names} again with ${expected}: ${JSON.stringify(outcome)}`, async () => {
      const { stream, ids, positions } = await written()
      const proposed = names.split(',').map(name => ({ id: ids[name]!, type: 'Other' }))
      const { result } = await append(engine.raw, stream, expected, proposed)
      const count = (await read(engine.raw, { stream })).reads.length
      if (outcome === 'wrong') expect(result!.wrongExpectedVersion!.currentRevision).to.equal('2')
      else if (outcome === 'again') expect(Number(result!.success!.currentRevision)).to.equal(2 + proposed.length)
      else {
        expect(Number(result!.success!.currentRevision)).to.equal(outcome.revision)
        expect(BigInt(result!.success!.position!.commitPosition)).to.equal(positions[outcome.revision])
      }
      expect(count).to.equal(outcome === 'again' ? 3 + proposed.length : 3)
    })

  it('answers a clash of ids expected_any', async () => {
    const { stream, ids } = await written()
    const { result } = await append(engine.raw, stream, 'any', [{ id: ids.e1! }, {}])
    expect(result!.wrongExpectedVersion).to.deep.include({ currentRevision: '2', expectedAny: {}, any2060: {} })
  })

  it('stores ids that are doubled within one write, and knows them by the first', async () => {
    const stream = newStream()
    const same = [{ id: randomUUID() }]
    const doubled = [...same, ...same, ...same]
    expect((await append(engine.raw, stream, 'any', doubled)).result!.success!.currentRevision).to.equal('2')
    expect((await append(engine.raw, stream, 'any', doubled)).result!.success!.currentRevision).to.equal('0')
    expect((await append(engine.raw, stream, 'no_stream', doubled)).result!.success!.currentRevision).to.equal('2')
    expect((await read(engine.raw, { stream })).reads).to.have.length(3)
  })

  it('remembers an id for the first stream it was written to', async () => {
    const [one, two] = [newStream(), newStream()]
    const event = { id: randomUUID() }
    await append(engine.raw, one, 'any', [event])
    await append(engine.raw, two, 'any', [event])
    expect((await append(engine.raw, two, 'no_stream', [event])).result!.success!.currentRevision).to.equal('0')
    expect((await append(engine.raw, two, 'any', [event])).result!.success!.currentRevision).to.equal('1')
    const other = { id: randomUUID() }
    await append(engine.raw, two, 'any', [other])
    const mixed = await append(engine.raw, one, 'any', [event, other])
    expect(mixed.result!.wrongExpectedVersion!.expectedAny).to.deep.equal({})
  })

  it('recognises a repeat however many events came after it', async () => {
    const { stream, ids, positions } = await written()
    await append(engine.raw, stream, 2, Array(500).fill({}))
    const { result } = await append(engine.raw, stream, 0, [{ id: ids.e1! }, { id: ids.e2! }])
    expect(BigInt(result!.success!.position!.commitPosition)).to.equal(positions[2])
  })

  it('recognises a repeat that comes before the first was answered', async () => {
    const stream = newStream()
    const event = { id: randomUUID() }
    const answers = await Promise.all(
      Array.from({ length: 20 }, (_, n) => append(engine.raw, stream, n % 2 ? 'any' : 'no_stream', [event])),
    )
    const answered = answers.filter(answer => !(engine.isReal && isUndecided(answer)))
    expect(answered).to.not.have.length(0)
    for (const { result } of answered) expect(result!.success!.currentRevision).to.equal('0')
    expect((await read(engine.raw, { stream })).reads).to.have.length(1)
  })

  it('recognises a repeat of an event that is no longer readable, without a position', async () => {
    const { stream, ids } = await written()
    await append(engine.raw, `$$${stream}`, 'any', [{ data: Buffer.from('{"$maxCount":1}') }])
    for (const expected of ['any', 0] as const) {
      const { result } = await append(engine.raw, stream, expected, [{ id: ids.e1! }])
      expect(result!.success).to.deep.include({ currentRevision: '1', noPosition: {} })
    }
  })

  it('recognises a repeat after soft deletion, without a position, and leaves the stream deleted', async () => {
    const { stream, ids } = await written()
    await engine.raw.ask(streamsPath('delete'), deleteRequest(stream, 'any'))
    for (const expected of ['any', 'no_stream', 0] as const) {
      const proposed = expected === 0 ? [{ id: ids.e1! }] : [{ id: ids.e0! }, { id: ids.e1! }]
      const { result } = await append(engine.raw, stream, expected, proposed)
      expect(result!.success).to.deep.include({ currentRevision: '1', noPosition: {} })
    }
    expect((await read(engine.raw, { stream })).reads.map(one => one.kind)).to.deep.equal(['not found'])
  })
})
