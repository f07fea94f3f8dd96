/** BatchAppend: many appends over one call, each answered on its own. */
import { randomUUID } from 'node:crypto'
import { expect } from 'chai'
import { newStream, overEngines } from './engines.ts'
import { append, batchCall, batchRequest, batchResponse, deleteRequest, type Expected, read } from './messages.ts'
import { Status, shared, streamsPath } from './raw.ts'

const HALF_MEGABYTE = Buffer.alloc(524_288)

overEngines('batch append', engine => {
  async function one(stream: string | undefined, expected: Expected, more = {}, proposed: object[] = [{}]) {
    const call = batchCall(engine.raw).send(batchRequest(stream, expected, proposed, more))
    const [message] = await call.received(1)
    const response = message && batchResponse(message)
    call.end()
    return { response: response!, call }
  }

  it('answers each final request once and in order', async () => {
    const stream = newStream()
    const call = batchCall(engine.raw)
    const ids = Array.from({ length: 50 }, () => randomUUID())
    call.send(...ids.map(correlation => batchRequest(stream, 'any', [{}, {}], { correlation })))
    const responses = (await call.received(50)).map(batchResponse)
    expect(responses.map(response => response.correlation)).to.deep.equal(ids)
    expect(responses.map(response => Number(response.success!.currentRevision))).to.deep.equal(
      ids.map((_, n) => 2 * n + 1),
    )
    expect(Buffer.from(responses[0]!.streamIdentifier!.streamName as string, 'base64').toString()).to.equal(stream)
    expect(responses[0]!.expectation).to.equal(0)
    call.cancel()
  })

  it('writes when the final chunk has come and not before', async () => {
    const stream = newStream()
    const correlation = randomUUID()
    const call = batchCall(engine.raw)
    call.send(batchRequest(stream, 'no_stream', [{}, {}], { correlation, isFinal: false }))
    call.send(batchRequest(undefined, 'none', [{}], { correlation, isFinal: false, noOptions: true }))
    expect((await read(engine.raw, { stream })).reads.map(read => read.kind)).to.deep.equal(['not found'])
    call.send(batchRequest(undefined, 'none', [{}], { correlation, noOptions: true }))
    const [message] = await call.received(1)
    expect(batchResponse(message!).success!.currentRevision).to.equal('3')
    call.send(batchRequest(newStream(), 'any', [{}], { correlation }))
    expect(batchResponse((await call.received(2))[1]!).success!.currentRevision).to.equal('0')
    call.cancel()
  })

  it('accepts a batch without events', async () => {
    expect((await one(newStream(), 'any', {}, [])).response.success!.noStream).to.deep.equal({})
  })

  it('says which version is wrong in the details of the status', async () => {
    const stream = newStream()
    await append(engine.raw, stream, 'no_stream', [{}, {}])
    const { response } = await one(stream, 'no_stream')
    expect(response).to.include({ code: 6, text: 'WrongExpectedVersion', expectation: 0 })
    expect(response.detailsType).to.equal('type.googleapis.com/event_store.client.WrongExpectedVersion')
    const details = shared.WrongExpectedVersion.deserializeBinary(response.details!).toObject()
    expect(details).to.deep.include({ currentStreamRevision: '1', expectedNoStream: {} })
    const exact = (await one(newStream(), 5)).response
    expect(shared.WrongExpectedVersion.deserializeBinary(exact.details!).toObject()).to.deep.include({
      currentNoStream: {},
      expectedStreamPosition: '5',
    })
    const exists = (await one(newStream(), 'stream_exists')).response
    expect(shared.WrongExpectedVersion.deserializeBinary(exists.details!).hasExpectedStreamExists()).to.equal(true)
  })

  it('says that a stream is deleted', async () => {
    const stream = newStream()
    await append(engine.raw, stream, 'any', [{}])
    await engine.raw.ask(streamsPath('delete'), deleteRequest(stream, 'any'))
    const exists = (await one(stream, 'stream_exists')).response
    await engine.raw.ask(streamsPath('tombstone'), deleteRequest(stream, 'any', true))
    for (const response of [exists, (await one(stream, 'any')).response]) {
      expect(response).to.include({ code: 5, text: 'StreamDeleted' })
      expect(response.detailsType).to.equal('type.googleapis.com/event_store.client.StreamDeleted')
      const details = shared.StreamDeleted.deserializeBinary(response.details!)
      expect(Buffer.from(details.getStreamIdentifier()!.getStreamName_asU8()).toString()).to.equal(stream)
    }
  })

  it('counts the data of all chunks of a write', async () => {
    const stream = newStream()
    const correlation = randomUUID()
    const call = batchCall(engine.raw)
    const data = HALF_MEGABYTE
    call.send(batchRequest(stream, 'any', [{ data }], { correlation, isFinal: false }))
    call.send(batchRequest(undefined, 'none', [{ data }], { correlation, isFinal: false, noOptions: true }))
    call.send(batchRequest(undefined, 'none', [{ data: Buffer.alloc(1) }], { correlation, noOptions: true }))
    const response = batchResponse((await call.received(1))[0]!)
    expect(response).to.include({ code: 3, text: 'MaximumAppendSizeExceeded' })
    expect(shared.MaximumAppendSizeExceeded.deserializeBinary(response.details!).getMaxappendsize()).to.equal(1_048_576)
    call.send(batchRequest(stream, 'any', [{ data }, { data }]))
    expect(batchResponse((await call.received(2))[1]!).success!.currentRevision).to.equal('1')
    call.cancel()
  })

  for (const deadlineSeconds of [0, -10])
    it(`times out at a deadline ${deadlineSeconds} s away and writes nothing`, async () => {
      const stream = newStream()
      const { response } = await one(stream, 'any', { deadlineSeconds })
      expect(response).to.include({ code: 4, text: 'Timeout' })
      expect(response.detailsType).to.equal('type.googleapis.com/event_store.client.Timeout')
      expect((await read(engine.raw, { stream })).reads.map(read => read.kind)).to.deep.equal(['not found'])
    })

  it('answers bad input in the response and keeps the call open', async () => {
    const call = batchCall(engine.raw)
    const stream = newStream()
    call.send(batchRequest(stream, 'any', [{ type: null }]))
    call.send(batchRequest(stream, 'none', [{}]))
    call.send(batchRequest('', 'any', [{}]))
    call.send(batchRequest(stream, 'any', [{}], { correlation: null }))
    call.send(batchRequest(stream, 'any', [{ id: null }]))
    const responses = (await call.received(5)).map(batchResponse)
    for (const response of responses) {
      expect(response).to.include({ code: 3, text: 'BadRequest' })
      expect(response.detailsType).to.equal('type.googleapis.com/event_store.client.BadRequest')
    }
    call.send(batchRequest(stream, 'no_stream', [{}]))
    expect(batchResponse((await call.received(6))[5]!).success!.currentRevision).to.equal('0')
    call.cancel()
  })

  it('ends the whole call at a message of 20 MiB', async () => {
    const call = batchCall(engine.raw)
    call.send(batchRequest(newStream(), 'any', [{ data: Buffer.alloc(20 * 1_048_576) }]))
    expect((await call.done).status).to.equal(Status.resourceExhausted)
  })

  it('answers what was sent before a half-close', async () => {
    const call = batchCall(engine.raw)
      .send(batchRequest(newStream(), 'any', [{}]))
      .end()
    expect(await call.received(1)).to.have.length(1)
    call.cancel()
  })

  it('ends a call at a half-close', async function () {
    if (engine.isReal) return this.skip()
    const busy = batchCall(engine.raw).send(batchRequest(newStream(), 'any', [{}]))
    expect((await busy.end().done).status).to.equal(Status.ok)
    const call = batchCall(engine.raw).send(batchRequest(newStream(), 'any', [{}]))
    await call.received(1)
    call.end()
    expect((await call.done).status).to.equal(Status.ok)
  })
})
