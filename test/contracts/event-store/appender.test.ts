/** What the write side appends through: ours, and the stock client's, which is what ours must do. */
import { randomUUID } from 'node:crypto'
import { expect } from 'chai'
import fc from 'fast-check'
import { LostRaceError, type NewEvent } from '../../../commands/ports.ts'
import { KogiError } from '../../../domain/kernel/errors.ts'
import type { Json } from '../../../domain/kernel/json.ts'
import type { Appender } from '../../../infra/event-store/appender.ts'
import { clientAppender } from '../../../infra/event-store/client-appender.ts'
import { leanAppender } from '../../../infra/event-store/lean-appender.ts'
import { collect, newStream, overEngines } from './engines.ts'

const APPENDERS = { lean: leanAppender, client: clientAppender }
const MEGABYTE = 1_048_576

const event = (data: Json | Uint8Array = {}, metadata: Json = {}): NewEvent => ({
  id: randomUUID(),
  type: 'Noted',
  data,
  metadata,
})

for (const [name, make] of Object.entries(APPENDERS))
  overEngines(`the ${name} appender`, engine => {
    let appender: Appender
    before(() => {
      appender = make({ url: engine.url, client: engine.client, timeoutMs: 5_000 })
    })
    after(() => appender.close())

    const stored = async (stream: string) =>
      (await collect(engine.client.readStream(stream, { maxCount: 1_000 }))).map(({ event: it }) => it!)
    const failure = async (appending: Promise<unknown>) =>
      appending.then(() => undefined).catch((error: Error) => error)

    it('answers revision and position of the last event', async () => {
      const stream = newStream()
      const first = await appender.append(stream, -1n, [event(), event()])
      const second = await appender.append(stream, 1n, [event()])
      expect([first.revision, second.revision]).to.deep.equal([1n, 2n])
      const positions = (await stored(stream)).map(({ position }) => position!.commit)
      expect([first.position, second.position]).to.deep.equal(positions.slice(1))
      if (name === 'client') return
      expect(await appender.positions(stream, 1n, 5)).to.deep.equal(positions.slice(1))
      expect(await appender.positions(stream, 0n, 2)).to.deep.equal(positions.slice(0, 2))
      expect(await appender.positions(newStream(), 0n, 2)).to.deep.equal([])
    })

    it('reads a part of a stream as the client does, where it reads by itself', async () => {
      const stream = newStream()
      await appender.append(stream, -1n, [event(), event(), event()])
      const read = await appender.read(stream, 1n, 5)
      if (name === 'client') {
        expect(read).to.equal(undefined)
        return
      }
      const expected = (await stored(stream)).slice(1).map(it => ({
        type: it.type,
        data: it.data,
        metadata: it.metadata,
        eventId: it.id,
        stream,
        revision: it.revision,
        position: it.position!.commit,
      }))
      expect(read).to.deep.equal(expected)
      expect(await appender.read(stream, 0n, 1)).to.have.length(1)
      expect(await appender.read(stream, 3n, 5)).to.deep.equal([])
      expect(await appender.read(newStream(), 0n, 5)).to.deep.equal([])
    })

    it('says that a race is lost, and leaves the stream as it was', async () => {
      const stream = newStream()
      await appender.append(stream, -1n, [event()])
      for (const [where, expected] of [
        [stream, -1n],
        [stream, 7n],
        [newStream(), 0n],
      ] as const)
        expect(await failure(appender.append(where, expected, [event()]))).to.be.instanceOf(LostRaceError)
      expect(await stored(stream)).to.have.length(1)
    })

    it('stores the same events once, whatever the stream is expected to be', async () => {
      const stream = newStream()
      const events = [event({ n: 1 }), event({ n: 2 })]
      for (const expected of [-1n, -1n, 'any'] as const) {
        expect((await appender.append(stream, expected, events)).revision).to.equal(1n)
      }
      expect(await stored(stream)).to.have.length(2)
    })

    it('stores what it was given: any JSON, any text, any bytes', () =>
      fc.assert(
        fc.asyncProperty(
          fc.array(
            fc.record({
              // An object: the stock client knows no other JSON.
              data: fc.oneof(fc.dictionary(fc.string(), anyJson), fc.uint8Array({ maxLength: 300 })),
              metadata: fc.dictionary(fc.string(), anyJson),
              type: fc.oneof(fc.constant('Noted'), fc.string({ minLength: 1, unit: 'grapheme' })),
            }),
            { minLength: 1, maxLength: 5 },
          ),
          async given => {
            const stream = `${newStream()} ü`
            const events = given.map(one => ({ id: randomUUID(), ...one, data: one.data as Json | Uint8Array }))
            await appender.append(stream, -1n, events)
            const found = (await stored(stream)).map(({ id, type, data, metadata }) => ({ id, type, data, metadata }))
            expect(JSON.stringify(found.map(plain))).to.equal(JSON.stringify(events.map(plain)))
          },
        ),
        { numRuns: process.env.KOGI_LONG ? 500 : 25 },
      ))

    it('takes as much as one append may hold, in events few and large or many and small', async () => {
      const large = { text: 'x'.repeat(MEGABYTE / 2 - 100) }
      expect((await appender.append(newStream(), -1n, [event(large), event(large)])).revision).to.equal(1n)
      // Metadata does not count, so these are several messages.
      const noted = { text: 'ü'.repeat(MEGABYTE / 2) }
      const many = Array.from({ length: 9 }, (_, n) => event({ n }, noted))
      const stream = newStream()
      expect((await appender.append(stream, -1n, many)).revision).to.equal(8n)
      const found = await stored(stream)
      expect(found.map(({ data }) => data)).to.deep.equal(many.map(({ data }) => data))
      expect(found.every(({ metadata }) => (metadata as typeof noted).text === noted.text)).to.equal(true)
    })

    it('refuses more than one append may hold, and goes on', async () => {
      const stream = newStream()
      const events = [event({ text: 'x'.repeat(MEGABYTE) })]
      const sent = [appender.append(stream, -1n, events), appender.append(newStream(), -1n, [event()])]
      const error = await failure(sent[0]!)
      expect(error).to.be.instanceOf(KogiError)
      expect((error as KogiError).code).to.equal('body_too_large')
      expect((await sent[1])!.revision).to.equal(0n)
      expect((await appender.append(stream, -1n, [event()])).revision).to.equal(0n)
    })

    it('answers each of many at once for itself', async () => {
      const streams = Array.from({ length: 200 }, () => newStream())
      const answers = await Promise.all(
        streams.map((stream, n) =>
          n % 3 === 0 ? failure(appender.append(stream, 5n, [event()])) : appender.append(stream, -1n, [event({ n })]),
        ),
      )
      for (const [n, answer] of answers.entries()) {
        if (n % 3 === 0) expect(answer).to.be.instanceOf(LostRaceError)
        else {
          const [only] = await stored(streams[n]!)
          expect(only!.data).to.deep.equal({ n })
          expect((answer as { position: bigint }).position).to.equal(only!.position!.commit)
        }
      }
    })

    it('says that a stream was deleted for ever', async () => {
      const stream = newStream()
      await appender.append(stream, -1n, [event()])
      await engine.client.tombstoneStream(stream)
      const error = await failure(appender.append(stream, 0n, [event()]))
      expect(error).to.be.instanceOf(Error)
      expect(error).not.to.be.instanceOf(KogiError)
      expect(error).not.to.be.instanceOf(LostRaceError)
    })
  })

const anyJson = fc.jsonValue({ maxDepth: 2 }) as fc.Arbitrary<Json>

/** What JSON has no form for: bytes as text. */
const plain = ({ id, type, data, metadata }: { id: string; type: string; data: unknown; metadata: unknown }) => ({
  id,
  type,
  data: data instanceof Uint8Array ? Buffer.from(data).toString('hex') : data,
  metadata,
})
