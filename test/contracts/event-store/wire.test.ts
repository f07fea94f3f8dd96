/** The wire format, against the generated classes of the stock client. */
import { expect } from 'chai'
import fc from 'fast-check'
import {
  frameSizes,
  idOf,
  newFrameView,
  parseFrame,
  streamOf,
  writeFrame,
} from '../../../infra/embedded/event-store/log/frame.ts'
import { readRequest } from '../../../infra/embedded/event-store/wire/read-request.ts'
import {
  MalformedMessage,
  MessageBuilder,
  MessageReader,
  varintSize,
  writeVarint,
} from '../../../infra/wire/protobuf.ts'
import { readMessage, readRequest as readRequestMessage } from './messages.ts'
import { pb } from './raw.ts'

const bytes = fc.uint8Array({ maxLength: 300 }).map(array => Buffer.from(array))
const anEvent = fc.record({
  id: fc.uuid(),
  type: fc.string({ minLength: 1, maxLength: 200, unit: 'grapheme' }).map(text => Buffer.from(text)),
  json: fc.boolean(),
  metadata: bytes,
  data: bytes,
})
const count = fc.maxSafeNat()

describe('wire format', () => {
  it('writes varints that it reads back', () =>
    fc.assert(
      fc.property(count, value => {
        const out = Buffer.alloc(10)
        const end = writeVarint(out, 0, value)
        expect(end).to.equal(varintSize(value))
        expect(new MessageReader(out, 0, end).varint()).to.equal(value)
      }),
    ))

  it('writes stored frames that the generated classes read', () =>
    fc.assert(
      fc.property(
        anEvent,
        fc.string({ minLength: 1, unit: 'grapheme' }),
        count,
        count,
        (event, stream, revision, position) => {
          const name = Buffer.from(stream)
          const sizes = frameSizes(name, revision, position, event)
          const out = Buffer.alloc(sizes.frame + 20)
          const end = writeFrame(out, 10, sizes, name, revision, position, Buffer.from('17000000000000000'), event)
          expect(end).to.equal(10 + sizes.frame)
          const read = readMessage(out.subarray(15, end))
          expect(read.event).to.deep.equal({
            id: { string: event.id, structured: undefined },
            stream,
            revision: BigInt(revision),
            commit: BigInt(position),
            prepare: BigInt(position),
            map: {
              type: event.type.toString(),
              'content-type': event.json ? 'application/json' : 'application/octet-stream',
              created: '17000000000000000',
            },
            data: event.data,
            metadata: event.metadata,
          })
          expect(read.position).to.equal(BigInt(position))
          const view = parseFrame(out, 10, newFrameView())
          expect([
            view.end,
            idOf(view),
            streamOf(view),
            view.bytes.toString('utf8', view.typeStart, view.typeEnd),
            view.revision,
            view.position,
            view.json,
          ]).to.deep.equal([end, event.id, stream, event.type.toString(), revision, position, event.json])
          expect(out.subarray(view.dataStart, view.dataEnd)).to.deep.equal(event.data)
          expect(out.subarray(view.metadataStart, view.metadataEnd)).to.deep.equal(event.metadata)
        },
      ),
    ))

  it('builds messages that the generated classes read', () =>
    fc.assert(
      fc.property(fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }), fc.string({ unit: 'grapheme' }), (value, text) => {
        const position = new MessageBuilder().uint(1, value).uint(2, value)
        const message = pb.ReadResp.deserializeBinary(new MessageBuilder().message(3, position).finish())
        expect(message.getCheckpoint()!.getCommitPosition()).to.equal(String(value))
        const confirmed = new MessageBuilder().message(2, new MessageBuilder().string(1, text)).finish()
        expect(pb.ReadResp.deserializeBinary(confirmed).getConfirmation()!.getSubscriptionId()).to.equal(text)
      }),
    ))

  it('decodes reads as the generated classes write them', () =>
    fc.assert(
      fc.property(
        fc.record({
          stream: fc.option(fc.string({ minLength: 1, unit: 'grapheme' }), { nil: undefined }),
          from: fc.oneof(
            fc.constant('start' as const),
            fc.constant('end' as const),
            fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }),
          ),
          backwards: fc.boolean(),
          count: fc.integer({ min: 1 }),
          resolveLinks: fc.boolean(),
          ids: fc.constantFrom('string' as const, 'structured' as const),
          compatibility: fc.nat(3),
        }),
        options => {
          const { ids, stream, ...same } = options
          const decoded = readRequest(
            Buffer.from(readRequestMessage({ ...same, ids, ...(stream ? { stream } : {}) }).serializeBinary()),
          )
          expect(decoded).to.deep.include({ ...same, stream, structuredIds: ids === 'structured', filter: undefined })
        },
      ),
    ))

  it('refuses or decodes whatever bytes come, and never anything else', () =>
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 60 }), array => {
        try {
          readRequest(Buffer.from(array))
        } catch (error) {
          expect(error).to.satisfy((one: Error) => one instanceof MalformedMessage || 'status' in one)
        }
      }),
      { numRuns: 2000 },
    ))
})
