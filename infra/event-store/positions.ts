/** Where events of a stream stand in `$all`: read without decoding anything else of them. */
import type { ClientHttp2Session } from 'node:http2'
import { shared, streams } from '../wire/generated.ts'
import { framed, MessageSplitter } from '../wire/grpc.ts'
import { MessageReader } from '../wire/protobuf.ts'
import { callHeaders } from './connection.ts'

const READ = '/event_store.client.streams.Streams/Read'

/** Positions of at most `count` events from revision `from` on, over a connection that is open. */
export function readPositions(
  session: ClientHttp2Session,
  url: string,
  stream: string,
  from: bigint,
  count: number,
): Promise<readonly bigint[]> {
  return new Promise((resolve, reject) => {
    const call = session.request(callHeaders(url, READ))
    const splitter = new MessageSplitter({ check: () => {} })
    const positions: bigint[] = []
    call.on('data', (chunk: Buffer) => {
      try {
        splitter.push(chunk)
        for (let message = splitter.next(); message; message = splitter.next()) {
          const position = positionIn(new MessageReader(message), EVENT_PATH)
          if (position !== undefined) positions.push(position)
        }
      } catch (error) {
        call.close()
        reject(error)
      }
    })
    call.on('error', reject)
    call.on('close', () => resolve(positions))
    call.end(framed(request(stream, from, count)))
  })
}

/** Fields from an answer to the commit position: of the event as it was read, as it was recorded, its position. */
const EVENT_PATH = [1, 1, 5]

function positionIn(message: MessageReader, [field, ...rest]: readonly number[]): bigint | undefined {
  while (message.next()) {
    if (message.field !== field) message.skip()
    else return rest.length === 0 ? message.uint64() : positionIn(message.message(), rest)
  }
  return undefined
}

function request(stream: string, from: bigint, count: number): Uint8Array {
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
