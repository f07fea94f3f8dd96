/** Soft deletion and tombstones: what they answer, what readers see then, and how a stream comes back. */
import { expect } from 'chai'
import { newStream, overEngines } from './engines.ts'
import { append, deleteRequest, type Expected, type Read, read, subscribe } from './messages.ts'
import { pb, Status, streamsPath } from './raw.ts'

const TOMBSTONE = 2n ** 63n - 1n
const revisions = (reads: Read[]): number[] => reads.filter(one => one.event).map(one => Number(one.event!.revision))
const kinds = (reads: Read[]): string[] => reads.map(one => one.kind)

overEngines('deletion', engine => {
  const remove = (stream: string, expected: Expected) =>
    engine.raw.ask(streamsPath('delete'), deleteRequest(stream, expected))
  const bury = (stream: string, expected: Expected) =>
    engine.raw.ask(streamsPath('tombstone'), deleteRequest(stream, expected, true))
  const metadata = async (stream: string) => (await read(engine.raw, { stream: `$$${stream}` })).reads

  async function seeded(): Promise<string> {
    const stream = newStream()
    await append(engine.raw, stream, 'no_stream', [{}, {}, {}])
    return stream
  }

  it('soft-deletes by replacing the metadata, and answers with that event', async () => {
    const stream = await seeded()
    await append(engine.raw, `$$${stream}`, 'any', [{ type: '$metadata', data: Buffer.from('{"$maxCount":2,"x":1}') }])
    const { messages, status } = await remove(stream, 2)
    const [only] = await metadata(stream)
    expect(status).to.equal(Status.ok)
    expect(only!.event!.data.toString()).to.equal('{"$tb":9223372036854775807}')
    expect(only!.event!.map).to.include({ type: '$metadata', 'content-type': 'application/json' })
    expect(pb.DeleteResp.deserializeBinary(messages[0]!).getPosition()!.getCommitPosition()).to.equal(
      String(only!.event!.commit),
    )
    for (const backwards of [false, true])
      expect(
        kinds((await read(engine.raw, { stream, backwards, from: backwards ? 'end' : 'start' })).reads),
      ).to.deep.equal(['not found'])
  })

  const failures: [string, Expected, number, number][] = [
    ['a missing stream', 'any', -2, -1],
    ['a missing stream', 'no_stream', -1, -1],
    ['a missing stream', 'stream_exists', -4, -1],
    ['a missing stream', 3, 3, -1],
    ['a stream at revision 2', 0, 0, 2],
    ['a stream at revision 2', 'no_stream', -1, 2],
  ]
  for (const [title, expected, sent, actual] of failures)
    it(`refuses to delete ${title} when ${expected} is expected`, async () => {
      const stream = actual < 0 ? newStream() : await seeded()
      const answer = await remove(stream, expected)
      expect(answer.status).to.equal(Status.failedPrecondition)
      expect(answer.message).to.equal(
        `Delete failed due to WrongExpectedVersion. Stream: ${stream}, ` +
          `Expected version: ${sent}, Actual version: ${actual}`,
      )
      expect(answer.trailers).to.include({
        exception: 'wrong-expected-version',
        'stream-name': stream,
        'expected-version': String(sent),
        'actual-version': String(actual),
      })
    })

  it('deletes again, with one more metadata event each time', async () => {
    const stream = await seeded()
    for (const expected of ['any', 'any', 'no_stream', 2] as const)
      expect((await remove(stream, expected)).status).to.equal(Status.ok)
    expect(revisions(await metadata(stream))).to.deep.equal([3])
    const answer = await remove(stream, 'stream_exists')
    expect(answer.status).to.equal(Status.failedPrecondition)
    expect(answer.trailers.exception).to.equal('stream-deleted')
  })

  for (const expected of ['any', 'no_stream', 2] as const)
    it(`brings a deleted stream back with ${expected}, from where it was`, async () => {
      const stream = await seeded()
      await remove(stream, 'any')
      const { result } = await append(engine.raw, stream, expected, [{}, {}])
      expect(result!.success!.currentRevision).to.equal('4')
      expect(revisions((await read(engine.raw, { stream })).reads)).to.deep.equal([3, 4])
      const [only] = await metadata(stream)
      expect([only!.event!.revision, only!.event!.data.toString()]).to.deep.equal([1n, '{"$tb":3}'])
    })

  it('refuses to bring a deleted stream back at an older revision or as existing', async () => {
    const stream = await seeded()
    await remove(stream, 'any')
    const wrong = await append(engine.raw, stream, 0, [{}])
    expect(wrong.result!.wrongExpectedVersion!.currentRevision).to.equal('2')
    const exists = await append(engine.raw, stream, 'stream_exists', [{}])
    expect(exists.status).to.equal(Status.failedPrecondition)
    expect(exists.message).to.equal(`Event stream '${stream}' is deleted.`)
    expect(exists.trailers).to.include({ exception: 'stream-deleted', 'stream-name': stream })
  })

  it('brings a deleted stream back by a write without events', async () => {
    const stream = await seeded()
    await remove(stream, 'any')
    await append(engine.raw, stream, 'any', [])
    expect(kinds((await read(engine.raw, { stream })).reads)).to.deep.equal([])
    await append(engine.raw, stream, 'any', [{}])
    expect(revisions((await read(engine.raw, { stream })).reads)).to.deep.equal([3])
  })

  it('takes new metadata over a deletion, which is then none', async () => {
    const stream = await seeded()
    await remove(stream, 'any')
    await append(engine.raw, `$$${stream}`, 'any', [{ type: '$metadata', data: Buffer.from('{"x":1}') }])
    expect(kinds((await read(engine.raw, { stream })).reads)).to.not.include('not found')
    await append(engine.raw, stream, 'any', [{}])
    expect(revisions((await read(engine.raw, { stream })).reads)).to.include(3)
  })

  it('closes a stream for ever with a tombstone, the last event of it', async () => {
    const stream = await seeded()
    const { messages } = await bury(stream, 2)
    const position = BigInt(pb.TombstoneResp.deserializeBinary(messages[0]!).getPosition()!.getCommitPosition())
    const [last] = (await read(engine.raw, { from: position })).reads
    expect(last!.event).to.include({ stream, revision: TOMBSTONE, commit: position })
    expect(last!.event!.map).to.include({ type: '$streamDeleted', 'content-type': 'application/octet-stream' })
    expect(last!.event!.data).to.have.length(0)
    for (const name of [stream, `$$${stream}`, `$$$$${stream}`]) {
      const answers = [
        await append(engine.raw, name, 'any', [{}]),
        await remove(name, 'any'),
        await bury(name, 'any'),
        await read(engine.raw, { stream: name }),
        await read(engine.raw, { stream: name, from: 'end', backwards: true }),
        await subscribe(engine.raw, { stream: name }).call.done,
      ]
      for (const answer of answers) {
        expect(answer.status).to.equal(Status.failedPrecondition)
        expect(answer.trailers.exception).to.equal('stream-deleted')
      }
    }
  })

  it('buries a missing stream when any or no stream is expected, and no other', async () => {
    for (const expected of ['any', 'no_stream'] as const) {
      const stream = newStream()
      expect((await bury(stream, expected)).status).to.equal(Status.ok)
      expect((await append(engine.raw, stream, 'any', [{}])).status).to.equal(Status.failedPrecondition)
    }
    for (const expected of ['stream_exists', 0] as const) {
      const answer = await bury(newStream(), expected)
      expect(answer.trailers).to.include({ exception: 'wrong-expected-version', 'actual-version': '-1' })
    }
  })

  it('buries a deleted stream', async () => {
    for (const expected of ['any', 2] as const) {
      const stream = await seeded()
      await remove(stream, 'any')
      expect((await bury(stream, expected)).status).to.equal(Status.ok)
    }
  })

  it('deletes a stream that has metadata and no events', async () => {
    const stream = newStream()
    await append(engine.raw, `$$${stream}`, 'any', [{ data: Buffer.from('{"$maxCount":1}') }])
    expect((await remove(stream, 'any')).status).to.equal(Status.ok)
    expect(revisions(await metadata(stream))).to.deep.equal([1])
  })

  it('refuses to bring a deleted stream back by a write without events that expects no stream', async () => {
    const stream = await seeded()
    await remove(stream, 'any')
    const { result } = await append(engine.raw, stream, 'no_stream', [])
    expect(result!.wrongExpectedVersion!.currentRevision).to.equal('2')
  })

  it('forgets a deletion over which metadata is written that is no object', async () => {
    const stream = await seeded()
    await remove(stream, 'any')
    await append(engine.raw, `$$${stream}`, 'any', [{ data: Buffer.from('no json') }])
    expect(revisions((await read(engine.raw, { stream })).reads)).to.deep.equal([0, 1, 2])
    expect(revisions(await metadata(stream))).to.deep.equal([1])
  })

  it('takes the deletion of a metadata stream, which changes nothing', async () => {
    const stream = await seeded()
    await append(engine.raw, `$$${stream}`, 'any', [{ data: Buffer.from('{"$maxCount":1}') }])
    expect((await remove(`$$${stream}`, 'any')).status).to.equal(Status.ok)
    expect(revisions(await metadata(stream))).to.deep.equal([0])
    expect(revisions((await read(engine.raw, { stream })).reads)).to.deep.equal([2])
  })

  it('buries a metadata stream, and with it the limits it set', async () => {
    const stream = await seeded()
    await append(engine.raw, `$$${stream}`, 'any', [{ data: Buffer.from('{"$maxCount":1}') }])
    expect((await bury(`$$${stream}`, 'any')).status).to.equal(Status.ok)
    expect(revisions((await read(engine.raw, { stream })).reads)).to.deep.equal([0, 1, 2])
    expect((await append(engine.raw, `$$${stream}`, 'any', [{}])).status).to.equal(Status.failedPrecondition)
  })
})
