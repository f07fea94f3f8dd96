/** The lean reader of `$all` from bytes to events, against the generated classes of the stock client. */
import { expect } from 'chai'
import fc from 'fast-check'
import { received } from '../../infra/event-store/recorded.ts'
import { MessageSplitter } from '../../infra/wire/grpc.ts'
import { MalformedMessage } from '../../infra/wire/protobuf.ts'
import { identifier, uuidMessage } from '../contracts/event-store/messages.ts'
import { frame, pb, shared } from '../contracts/event-store/raw.ts'

const numRuns = process.env.KOGI_LONG === '1' ? 10_000 : 100
const { ReadResp } = pb
const { ReadEvent } = ReadResp
const { RecordedEvent } = ReadEvent

/** Cuts bytes where a list of lengths says; what is left is the last chunk. */
function cut(bytes: Buffer, lengths: readonly number[]): Buffer[] {
  const chunks: Buffer[] = []
  let at = 0
  for (const length of lengths) {
    chunks.push(bytes.subarray(at, at + length))
    at += length
  }
  return [...chunks, bytes.subarray(at)]
}

const MESSAGE_BYTES_MAX = 17 * 1024 * 1024
const newSplitter = () =>
  new MessageSplitter({
    check: (length, isCompressed) => {
      if (isCompressed) throw new Error('compressed message')
      if (length > MESSAGE_BYTES_MAX) throw new Error(`message of ${length} bytes`)
    },
  })

/** Pushes a chunk, and takes the messages that are complete then. */
function pushed(splitter: MessageSplitter, chunk: Buffer): Buffer[] {
  const found: Buffer[] = []
  splitter.push(chunk)
  for (let message = splitter.next(); message; message = splitter.next()) found.push(message)
  return found
}

describe('the lean reader: frames', () => {
  const messages = fc.array(fc.uint8Array({ maxLength: 400, size: 'max' }), { maxLength: 12, size: 'max' })
  const length = fc.oneof(fc.integer({ min: 0, max: 9 }), fc.integer({ min: 0, max: 900 }))
  const lengths = fc.array(length, { maxLength: 40 })

  it('are the same messages, however the bytes are cut', () => {
    const property = fc.property(messages, lengths, (sent, cuts) => {
      const splitter = newSplitter()
      const bytes = Buffer.concat(sent.map(frame))
      const found = cut(bytes, cuts).flatMap(chunk => pushed(splitter, chunk).map(one => Buffer.from(one)))
      expect(found).to.deep.equal(sent.map(one => Buffer.from(one)))
    })
    fc.assert(property, { numRuns })
  })

  it('may be as large as the largest event, in many small chunks', () => {
    const large = Buffer.alloc(16 * 1024 * 1024, 'x')
    const splitter = newSplitter()
    const cuts = Array.from({ length: large.length / 16_384 }, () => 16_384)
    const bytes = Buffer.concat([frame(large), frame(Buffer.from('next'))])
    const found = cut(bytes, cuts).flatMap(chunk => pushed(splitter, chunk))
    expect(found.map(({ length }) => length)).to.deep.equal([large.length, 4])
    expect(found[0]!.equals(large)).to.equal(true)
  })

  it('are refused where they are compressed or larger than anything, whatever came before', () => {
    const flag = fc.integer({ min: 1, max: 255 })
    const length = fc.integer({ min: MESSAGE_BYTES_MAX + 1, max: 2 ** 32 - 1 })
    fc.assert(
      fc.property(messages, lengths, flag, length, fc.boolean(), (before, cuts, flag, length, compressed) => {
        const bad = Buffer.alloc(5)
        if (compressed) bad[0] = flag
        else bad.writeUInt32BE(length, 1)
        const splitter = newSplitter()
        const bytes = Buffer.concat([...before.map(frame), bad])
        const push = () => cut(bytes, cuts).map(chunk => pushed(splitter, chunk))
        expect(push).to.throw(compressed ? /compressed message/ : `message of ${length} bytes`)
      }),
      { numRuns },
    )
  })
})

const NUMBERS = [0n, 1n, 127n, 128n, 2n ** 32n, 2n ** 53n - 1n, 2n ** 53n, 2n ** 53n + 1n, 2n ** 63n - 1n]
const uint63 = fc.oneof(fc.constantFrom(...NUMBERS), fc.bigInt({ min: 0n, max: 2n ** 63n - 1n }))
const text = fc.oneof(fc.string({ unit: 'binary' }), fc.string({ unit: 'grapheme' }), fc.constantFrom('', '\0', '😀'))
const json = fc.jsonValue({ maxDepth: 3 })
const bytes = fc.uint8Array({ maxLength: 60 })
const optional = <T>(arbitrary: fc.Arbitrary<T>) => fc.option(arbitrary, { nil: undefined })

/** Bytes of a field, and the JSON value that they hold; `undefined` when they hold none. */
const content = fc.oneof(
  json.map(value => ({ bytes: Buffer.from(JSON.stringify(value)), value: JSON.parse(JSON.stringify(value)) })),
  json.map(value => ({ bytes: Buffer.from(JSON.stringify(value, null, 2)), value: JSON.parse(JSON.stringify(value)) })),
  fc.constantFrom('', '{', '{"a":1}}', "{'a':1}", 'nul', '\ufeff{}').map(malformed),
  bytes.map(one => malformed(Buffer.concat([Buffer.from([0xff]), one]))),
)

function malformed(of: string | Buffer): { bytes: Buffer; value: undefined } {
  return { bytes: Buffer.from(of), value: undefined }
}

const recordedEvent = fc.record({
  id: optional(fc.uuid()),
  stream: optional(text),
  revision: optional(uint63),
  position: optional(uint63),
  type: optional(text),
  contentType: optional(fc.oneof({ weight: 3, arbitrary: fc.constant('application/json') }, text)),
  others: fc.dictionary(
    text.filter(key => key !== 'type' && key !== 'content-type'),
    text,
    { maxKeys: 3 },
  ),
  data: optional(content),
  metadata: optional(content),
})
type RecordedFields = typeof recordedEvent extends fc.Arbitrary<infer T> ? T : never

function recordedMessage(fields: RecordedFields): InstanceType<typeof RecordedEvent> {
  const { id, stream, revision, position, type, contentType, others, data, metadata } = fields
  const message = new RecordedEvent()
  if (id !== undefined) message.setId(uuidMessage(id))
  if (stream !== undefined) message.setStreamIdentifier(identifier(stream))
  if (revision !== undefined) message.setStreamRevision(`${revision}`)
  if (position !== undefined) message.setCommitPosition(`${position}`).setPreparePosition(`${position}`)
  const system = message.getMetadataMap()
  if (type !== undefined) system.set('type', type)
  if (contentType !== undefined) system.set('content-type', contentType)
  for (const [key, value] of Object.entries(others)) system.set(key, value)
  if (data) message.setData(data.bytes)
  if (metadata) message.setCustomMetadata(metadata.bytes)
  return message
}

const expected = ({ id, stream, revision, position, type, contentType, data, metadata }: RecordedFields) => ({
  type: type ?? '',
  data: contentType === 'application/json' ? (data?.value ?? null) : null,
  metadata: metadata?.value ?? {},
  eventId: id ?? '',
  stream: stream ?? '',
  revision: revision ?? 0n,
  position: position ?? 0n,
})

function responseWith(event: InstanceType<typeof RecordedEvent>): Buffer {
  const message = new ReadResp().setEvent(new ReadEvent().setEvent(event).setCommitPosition('7'))
  return Buffer.from(message.serializeBinary())
}

/** A varint, and a field of bytes, for messages that the generated classes cannot write. */
function varint(value: number): number[] {
  return value < 0x80 ? [value] : [(value % 0x80) | 0x80, ...varint(Math.floor(value / 0x80))]
}
const field = (number: number, content: Uint8Array): Buffer =>
  Buffer.concat([Buffer.from([...varint(number * 8 + 2), ...varint(content.length)]), content])

/** Fields that no version of the message has, of every wire type. */
const unknownFields = fc
  .array(
    fc.oneof(
      fc.tuple(fc.integer({ min: 100, max: 2 ** 29 - 1 }), bytes).map(([number, content]) => field(number, content)),
      fc.nat().map(value => Buffer.from([...varint(99 * 8), ...varint(value)])),
      fc.uint8Array({ minLength: 8, maxLength: 8 }).map(fixed => Buffer.from([...varint(99 * 8 + 1), ...fixed])),
      fc.uint8Array({ minLength: 4, maxLength: 4 }).map(fixed => Buffer.from([...varint(99 * 8 + 5), ...fixed])),
    ),
    { maxLength: 3 },
  )
  .map(parts => Buffer.concat(parts))

describe('the lean reader: messages', function messages() {
  this.timeout(120_000)

  it('are the events that were put into them', () => {
    const property = fc.property(recordedEvent, fields => {
      expect(received(responseWith(recordedMessage(fields)))).to.deep.equal({ kind: 'event', event: expected(fields) })
    })
    fc.assert(property, { numRuns })
  })

  it('are the same with unknown fields before and after, at every level', () => {
    fc.assert(
      fc.property(recordedEvent, fc.array(unknownFields, { minLength: 6, maxLength: 6 }), (fields, unknown) => {
        const [a, b, c, d, e, f] = unknown as [Buffer, Buffer, Buffer, Buffer, Buffer, Buffer]
        const recorded = Buffer.concat([a, recordedMessage(fields).serializeBinary(), b])
        const message = Buffer.concat([c, field(1, Buffer.concat([d, field(1, recorded), e])), f])
        expect(received(message)).to.deep.equal({ kind: 'event', event: expected(fields) })
      }),
      { numRuns },
    )
  })

  it('are the same where an entry of the system metadata begins with its value', () => {
    const property = fc.property(recordedEvent, fields => {
      const { type, contentType, ...rest } = fields
      const entries = Object.entries({ type, 'content-type': contentType }).flatMap(([key, value]) => {
        if (value === undefined) return []
        return [field(6, Buffer.concat([field(2, Buffer.from(value)), field(1, Buffer.from(key))]))]
      })
      const plain = recordedMessage({ ...rest, type: undefined, contentType: undefined }).serializeBinary()
      const message = field(1, field(1, Buffer.concat([...entries, plain])))
      expect(received(message)).to.deep.equal({ kind: 'event', event: expected(fields) })
    })
    fc.assert(property, { numRuns })
  })

  it('are nothing of their own where they hold a link to an event that is gone', () => {
    const link = new RecordedEvent().setStreamIdentifier(identifier('task-1')).setCommitPosition('2')
    const message = new ReadResp().setEvent(new ReadEvent().setLink(link))
    expect(received(Buffer.from(message.serializeBinary()))).to.deep.equal({ kind: 'other' })
  })

  it('tell of checkpoints, of the end of what is stored, and of nothing else', () => {
    const property = fc.property(uint63, position => {
      const checkpoint = new ReadResp.Checkpoint().setCommitPosition(`${position}`).setPreparePosition('5')
      const message = new ReadResp().setCheckpoint(checkpoint)
      expect(received(Buffer.from(message.serializeBinary()))).to.deep.equal({ kind: 'checkpoint', position })
    })
    fc.assert(property, { numRuns })
    const others = [
      new ReadResp().setCaughtUp(new ReadResp.CaughtUp()),
      new ReadResp().setConfirmation(new ReadResp.SubscriptionConfirmation().setSubscriptionId('x')),
      new ReadResp().setFellBehind(new ReadResp.FellBehind()),
      new ReadResp().setFirstStreamPosition('7'),
      new ReadResp().setLastAllStreamPosition(new shared.AllStreamPosition().setCommitPosition('7')),
      new ReadResp(),
    ]
    const kinds = others.map(message => received(Buffer.from(message.serializeBinary())).kind)
    expect(kinds).to.deep.equal(['caught-up', 'other', 'other', 'other', 'other', 'other'])
  })

  it('are refused where they are cut off, at every byte', () => {
    const property = fc.property(recordedEvent, fields => {
      const message = responseWith(recordedMessage(fields))
      for (let length = 1; length < message.length; length += 1) {
        expect(() => received(message.subarray(0, length))).to.throw(MalformedMessage)
      }
    })
    fc.assert(property, { numRuns: Math.ceil(numRuns / 10) })
  })

  it('are refused or read, but never anything else, whatever the bytes are', () => {
    const garbage = fc.oneof(
      fc.uint8Array({ maxLength: 300, size: 'max' }),
      fc.tuple(recordedEvent, fc.nat(), fc.nat(255)).map(([fields, at, byte]) => {
        const message = responseWith(recordedMessage(fields))
        message[at % message.length] = byte
        return message
      }),
    )
    const property = fc.property(garbage, message => {
      try {
        expect(received(Buffer.from(message)).kind).to.be.oneOf(['event', 'checkpoint', 'caught-up', 'other'])
      } catch (error) {
        expect(error).to.be.instanceOf(MalformedMessage)
      }
    })
    fc.assert(property, { numRuns: 4 * numRuns })
  })
})
