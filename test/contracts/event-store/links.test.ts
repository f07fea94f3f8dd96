/** Links: how they are followed, and what becomes of those that lead nowhere. */
import { expect } from 'chai'
import { newStream, overEngines } from './engines.ts'
import { append, deleteRequest, type Proposed, read, subscribe } from './messages.ts'
import { streamsPath } from './raw.ts'

const link = (data: string, contentType = 'application/octet-stream'): Proposed => ({
  type: '$>',
  contentType,
  data: Buffer.from(data),
})

overEngines('links', engine => {
  async function seeded(count = 3): Promise<string> {
    const stream = newStream('target')
    await append(engine.raw, stream, 'no_stream', Array(count).fill({ data: Buffer.from('{}') }))
    return stream
  }

  async function linking(...links: Proposed[]): Promise<string> {
    const stream = newStream('links')
    await append(engine.raw, stream, 'no_stream', links)
    return stream
  }

  it('are followed when the reader asks for it, and carry their own position', async () => {
    const target = await seeded()
    const stream = await linking(link(`1@${target}`, 'application/json'))
    const [plain] = (await read(engine.raw, { stream })).reads
    expect([plain!.event!.stream, plain!.link]).to.deep.equal([stream, undefined])
    for (const ids of ['string', 'structured'] as const) {
      const [resolved] = (await read(engine.raw, { stream, resolveLinks: true, ids })).reads
      expect(resolved!.event).to.include({ stream: target, revision: 1n })
      expect(resolved!.link).to.include({ stream, revision: 0n })
      expect(resolved!.position).to.equal(resolved!.link!.commit)
      expect(resolved!.event!.commit < resolved!.link!.commit).to.equal(true)
    }
  })

  it('lead nowhere without an error when the target cannot be read', async () => {
    const [truncated, deleted, buried, present] = [await seeded(), await seeded(), await seeded(), await seeded()]
    await append(engine.raw, `$$${truncated}`, 'any', [{ data: Buffer.from('{"$tb":2}') }])
    await engine.raw.ask(streamsPath('delete'), deleteRequest(deleted, 'any'))
    await engine.raw.ask(streamsPath('tombstone'), deleteRequest(buried, 'any', true))
    const targets = [`0@${newStream()}`, `9@${present}`, `1@${truncated}`, `1@${deleted}`, `1@${buried}`]
    const stream = await linking(...targets.map(target => link(target)))
    const wanted = targets.map(() => 'link only')
    const seen = (reads: Awaited<ReturnType<typeof read>>['reads']) =>
      reads.filter(one => one.kind === 'event').map(one => (one.event ? 'event' : one.link ? 'link only' : 'nothing'))
    expect(seen((await read(engine.raw, { stream, resolveLinks: true })).reads)).to.deep.equal(wanted)
    const filter = { stream: { prefixes: [stream] } }
    expect(seen((await read(engine.raw, { filter, resolveLinks: true })).reads)).to.deep.equal(wanted)
    const live = subscribe(engine.raw, { stream, resolveLinks: true })
    expect(seen(await live.next(1 + targets.length))).to.deep.equal(wanted)
    live.cancel()
  })

  it('that are none are ordinary events', async () => {
    const stream = await linking(link('garbage'), link(''))
    const { reads } = await read(engine.raw, { stream, resolveLinks: true })
    expect(reads.map(one => [one.event!.map.type, one.link])).to.deep.equal([
      ['$>', undefined],
      ['$>', undefined],
    ])
  })

  it('without a stream lead nowhere, and white space around the revision is none of the number', async () => {
    const target = await seeded()
    const stream = await linking(link('1@'), link('1'), link(` +1 @${target}`))
    const { reads } = await read(engine.raw, { stream, resolveLinks: true })
    expect(reads.map(one => one.event?.stream)).to.deep.equal([undefined, undefined, target])
  })

  it('to revision -1 lead to the last event, and links to links one step', async () => {
    const target = await seeded(4)
    const stream = await linking(link(`-1@${target}`))
    const second = await linking(link(`0@${stream}`))
    expect((await read(engine.raw, { stream, resolveLinks: true })).reads[0]!.event!.revision).to.equal(3n)
    const [step] = (await read(engine.raw, { stream: second, resolveLinks: true })).reads
    expect([step!.event!.stream, step!.link!.stream]).to.deep.equal([stream, second])
  })

  it('are filtered by their own stream and type', async () => {
    const target = await seeded()
    const stream = await linking(link(`1@${target}`))
    const byTarget = await read(engine.raw, { filter: { stream: { prefixes: [target] } }, resolveLinks: true })
    expect(byTarget.reads).to.have.length(3)
    const byLink = await read(engine.raw, { filter: { stream: { prefixes: [stream] } }, resolveLinks: true })
    expect(byLink.reads[0]!.event!.stream).to.equal(target)
  })
})
