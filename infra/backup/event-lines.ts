/**
 * Events as lines of a backup, read from any event store through `@eventstore/db-client`. The bytes of data and
 * metadata are taken as they are stored, which the reads of the client's interface would parse.
 */
import { isUtf8 } from 'node:buffer'
import { BACKWARDS, END, type EventStoreDBClient } from '@eventstore/db-client'
import streamsGrpc from '@eventstore/db-client/generated/streams_grpc_pb.js'
import type { ReadResp } from '@eventstore/db-client/generated/streams_pb.js'
import { KogiError } from '../../domain/kernel/errors.ts'
import type { Line } from '../embedded/event-store/care/transfer.ts'
import { TOMBSTONE_REVISION } from '../embedded/event-store/wire/revisions.ts'
import { shared, streams } from '../wire/generated.ts'
import { isSystem } from './format.ts'

/** Position of the last event of any kind, `0n` where there is none. Asks the leader of a cluster. */
export async function endOfLog(client: EventStoreDBClient): Promise<bigint> {
  try {
    const reading = client.readAll({ direction: BACKWARDS, fromPosition: END, maxCount: 1 })
    let end = 0n
    for await (const { event, link } of reading) end = (link ?? event)!.position!.commit
    return end
  } catch (error) {
    throw unavailable(error)
  }
}

/** The error of a store that does not answer, or not as it should. */
export function unavailable(error: unknown): KogiError {
  const said = (error as Error).message.split('\n')[0]!.replace(/\. Resolution note:.*$/, '')
  return new KogiError('engine_unavailable', `The event store does not answer as it should: ${said}.`)
}

/**
 * Every event up to and with the position `to`, in the order of the log; those of the event store itself are left out.
 * Throws when the node that answers has not come as far.
 */
export async function* eventLines(client: EventStoreDBClient, to: bigint, signal?: AbortSignal): AsyncGenerator<Line> {
  if (to === 0n) return
  const reading = await openRead(client).catch(error => {
    throw unavailable(error)
  })
  const abort = () => reading.cancel()
  signal?.addEventListener('abort', abort, { once: true })
  try {
    for await (const response of reading.iterator({ destroyOnReturn: false })) {
      const recorded = (response as ReadResp).getEvent()?.getEvent()
      if (!recorded) continue
      const position = BigInt(recorded.getCommitPosition())
      if (position > to) break
      const stream = Buffer.from(recorded.getStreamIdentifier()!.getStreamName_asU8()).toString('utf8')
      if (!isSystem(stream)) yield lineOf(recorded, stream)
      if (position === to) return
    }
  } catch (error) {
    signal?.throwIfAborted()
    throw unavailable(error)
  } finally {
    signal?.removeEventListener('abort', abort)
    // The call ends, and the client can be disposed of, only when what has arrived is taken too.
    reading.on('error', () => {})
    reading.cancel()
    reading.resume()
  }
  signal?.throwIfAborted()
  throw unavailable(new Error(`it did not deliver its events up to position ${to}`))
}

/** Opens a read of `$all` that delivers the messages as they arrive. */
function openRead(client: EventStoreDBClient) {
  const { Options } = streams.ReadReq
  const nothing = new shared.Empty()
  const options = new Options()
    .setAll(new Options.AllOptions().setStart(nothing))
    .setReadDirection(Options.ReadDirection.FORWARDS)
    .setCount(String(Number.MAX_SAFE_INTEGER))
    .setNoFilter(nothing)
    .setUuidOption(new Options.UUIDOption().setString(nothing))
  const request = new streams.ReadReq().setOptions(options)
  // biome-ignore-start lint/complexity/useLiteralKeys: what is protected is reached by its name
  const settings = client['callArguments']({ requiresLeader: true }, { deadline: Number.POSITIVE_INFINITY })
  return client['GRPCStreamCreator'](streamsGrpc.StreamsClient, 'backup', rpc => rpc.read(request, ...settings))()
  // biome-ignore-end lint/complexity/useLiteralKeys: what is protected is reached by its name
}

type Recorded = NonNullable<ReturnType<NonNullable<ReturnType<ReadResp['getEvent']>>['getEvent']>>

function lineOf(recorded: Recorded, stream: string): Line {
  const revision = BigInt(recorded.getStreamRevision())
  const system = recorded.getMetadataMap()
  const data = Buffer.from(recorded.getData_asU8())
  const metadata = Buffer.from(recorded.getCustomMetadata_asU8())
  return {
    position: Number(recorded.getCommitPosition()),
    stream,
    revision: revision >= BigInt(TOMBSTONE_REVISION) ? 'tombstone' : Number(revision),
    id: recorded.getId()!.getString().toLowerCase(),
    type: system.get('type') ?? '',
    contentType: system.get('content-type') === JSON_TYPE ? JSON_TYPE : 'application/octet-stream',
    created: system.get('created') ?? '',
    ...(isUtf8(data) ? { data: data.toString('utf8') } : { dataBase64: data.toString('base64') }),
    ...(isUtf8(metadata) ? { metadata: metadata.toString('utf8') } : { metadataBase64: metadata.toString('base64') }),
  }
}

const JSON_TYPE = 'application/json'

/** The bytes of a line's data or metadata. */
export function bytesOf(text: string | undefined, base64: string | undefined): Buffer {
  return base64 === undefined ? Buffer.from(text ?? '', 'utf8') : Buffer.from(base64, 'base64')
}
