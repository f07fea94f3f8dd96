/**
 * Reads of one stream without a gRPC library in between, over a connection that is open: a cold stream is read with
 * every first command, which takes the stock client several times as long.
 */
import type { ClientHttp2Session } from 'node:http2'
import type { StoredEvent } from '../../domain/kernel/event.ts'
import { shared, streams } from '../wire/generated.ts'
import { framed, MessageSplitter, Status } from '../wire/grpc.ts'
import { MessageReader } from '../wire/protobuf.ts'
import { callHeaders } from './connection.ts'
import { received } from './recorded.ts'

const READ = '/event_store.client.streams.Streams/Read'

/** A part of a stream: at most `count` events from the revision `from` on. */
export type Part = { readonly stream: string; readonly from: bigint; readonly count: number }

/** What `decode` makes of the answers to a read. Rejects where the server does not say that these were all. */
export function readMessages<T>(
  session: ClientHttp2Session,
  url: string,
  asked: Uint8Array,
  decode: (message: Buffer) => T | undefined,
): Promise<readonly T[]> {
  return new Promise((resolve, reject) => {
    const call = session.request(callHeaders(url, READ))
    const splitter = new MessageSplitter({ check: mustBePlain })
    const found: T[] = []
    let status: unknown
    const note = (headers: Readonly<Record<string, unknown>>) => {
      status = headers['grpc-status'] ?? status
    }
    call.on('response', note)
    call.on('trailers', note)
    call.on('data', (chunk: Buffer) => {
      try {
        splitter.push(chunk)
        for (let message = splitter.next(); message; message = splitter.next()) {
          const value = decode(message)
          if (value !== undefined) found.push(value)
        }
      } catch (error) {
        call.close()
        reject(error)
      }
    })
    call.on('error', reject)
    call.on('close', () => {
      if (Number(status ?? -1) === Status.ok) resolve(found)
      else reject(new Error(`the event store broke a read off, with gRPC status ${status ?? 'none'}`))
    })
    call.end(framed(asked))
  })
}

function mustBePlain(_: number, isCompressed: boolean): void {
  if (isCompressed) throw new Error('the event store sent a compressed message, which nobody asked for')
}

/** The events of a part; none where there is no such stream. */
export const readEvents = (session: ClientHttp2Session, url: string, part: Part): Promise<readonly StoredEvent[]> =>
  readMessages(session, url, request(part), message => {
    const answer = received(message)
    return answer.kind === 'event' ? answer.event : undefined
  })

/** Where the events of a part stand in `$all`: nothing else of them is decoded. */
export const readPositions = (session: ClientHttp2Session, url: string, part: Part): Promise<readonly bigint[]> =>
  readMessages(session, url, request(part), positionOf)

/** Where the event of an answer stands in `$all`, where it holds one. */
export const positionOf = (message: Buffer): bigint | undefined => positionIn(new MessageReader(message), EVENT_PATH)

/** Fields from an answer to the commit position: of the event as it was read, as it was recorded, its position. */
const EVENT_PATH = [1, 1, 5]

function positionIn(message: MessageReader, [field, ...rest]: readonly number[]): bigint | undefined {
  while (message.next()) {
    if (message.field !== field) message.skip()
    else return rest.length === 0 ? message.uint64() : positionIn(message.message(), rest)
  }
  return undefined
}

function request({ stream, from, count }: Part): Uint8Array {
  const { Options } = streams.ReadReq
  const nothing = new shared.Empty()
  const identifier = new shared.StreamIdentifier().setStreamName(Buffer.from(stream).toString('base64'))
  const options = new Options()
    .setStream(new Options.StreamOptions().setStreamIdentifier(identifier).setRevision(`${from}`))
    .setCount(`${count}`)
    .setNoFilter(nothing)
    .setUuidOption(new Options.UUIDOption().setString(nothing))
  return new streams.ReadReq().setOptions(options).serializeBinary()
}
