/**
 * The read side's port to the log, over `@eventstore/db-client`: one code for the embedded server and a cluster. Only
 * the messages of a subscription are decoded by `recorded.ts` instead of the client.
 */
import {
  type AllStreamResolvedEvent,
  BACKWARDS,
  END,
  EventStoreDBClient,
  StreamNotFoundError,
} from '@eventstore/db-client'
import { StreamsClient } from '@eventstore/db-client/generated/streams_grpc_pb.js'
import type { StoredEvent } from '../../domain/kernel/event.ts'
import type { EventLog, FollowOptions, ReadOptions } from '../../projections/ports.ts'
import { Writer } from '../embedded/event-store/protobuf.ts'
import { EventBuffer } from './buffer.ts'
import { type Received, received } from './recorded.ts'

/** How far one read of the tail of `$all` looks back for a domain event, in events of any kind. */
const TAIL_EVENTS = 64
const CALL_TIMEOUT_MS = 10_000
const BACKOFF_MAX_MS = 5_000
/** Events that the filter looks at in one go, and after how many such windows without a match it tells where it is. */
const WINDOW_EVENTS = 32
const MARK_INTERVAL = 32
const READ = '/event_store.client.streams.Streams/Read'

export type EventLogOptions = {
  /** Connection string of the event store. */
  readonly url: string
  /** Prefixes of the streams that hold domain events. */
  readonly prefixes: readonly string[]
}

/** Connects lazily; `close` ends every reader that is still open. */
export function eventLog({ url, prefixes }: EventLogOptions): EventLog & { close: () => Promise<void> } {
  const client = EventStoreDBClient.connectionString(url)
  const isDomain = (stream: string) => prefixes.some(prefix => stream.startsWith(prefix))
  const closing = new AbortController()

  return {
    head: async signal => {
      let from: typeof END | { commit: bigint; prepare: bigint } = END
      for (let count = TAIL_EVENTS; ; count = Math.min(count * 4, 4_096)) {
        const events: AllStreamResolvedEvent[] = await collect(
          client.readAll({ direction: BACKWARDS, fromPosition: from, maxCount: count, deadline: CALL_TIMEOUT_MS }),
          signal,
        )
        const last = events.find(({ event }) => event && isDomain(event.streamId))
        if (last) return last.event!.position.commit
        if (events.length < count) return 0n
        const { position } = (events.at(-1)!.link ?? events.at(-1)!.event)!
        from = position
      }
    },
    follow: options =>
      following(client, prefixes, { ...options, signal: AbortSignal.any([options.signal, closing.signal]) }),
    read: options => reading(client, prefixes, options),
    skips: async names => {
      const found = await Promise.all(names.map(async name => [name, await skipsOf(client, name)] as const))
      return new Map(found)
    },
    close: async () => {
      closing.abort()
      await client.dispose()
    },
  }
}

/** Follows for ever: what breaks is opened again from the last event that was handed out or seen to be filtered out. */
async function* following(
  client: EventStoreDBClient,
  prefixes: readonly string[],
  { after, max, signal, onStatus }: FollowOptions,
): AsyncGenerator<readonly StoredEvent[]> {
  const buffer = new EventBuffer(after)
  const abort = () => buffer.end()
  signal.addEventListener('abort', abort, { once: true })
  let attempt = 0
  try {
    while (!signal.aborted) {
      onStatus?.({ state: 'reading' })
      const close = subscribe(client, prefixes, buffer)
      try {
        for await (const events of buffer.lists(max)) {
          if (events === 'live') onStatus?.({ state: 'live' })
          else yield events
          attempt = 0
        }
        return
      } catch (error) {
        attempt += 1
        const delayMs = Math.min(BACKOFF_MAX_MS, 25 * 2 ** attempt)
        onStatus?.({ state: 'retrying', error: error as Error, attempt, delayMs })
        await buffer.pause(delayMs)
      } finally {
        close()
      }
    }
  } finally {
    signal.removeEventListener('abort', abort)
  }
}

/** Reads up to a position and ends; fails when the engine does not answer. */
async function* reading(
  client: EventStoreDBClient,
  prefixes: readonly string[],
  { after, to, max, signal }: ReadOptions,
): AsyncGenerator<readonly StoredEvent[]> {
  if (to <= after) return
  const buffer = new EventBuffer(after)
  const abort = () => buffer.fail(signal?.reason)
  signal?.addEventListener('abort', abort, { once: true })
  const close = subscribe(client, prefixes, buffer)
  try {
    for await (const events of buffer.lists(() => max)) {
      if (events === 'live') return
      const last = events.findIndex(({ position }) => position > to)
      if (last === 0) return
      yield last === -1 ? events : events.slice(0, last)
      if (last !== -1 || events.at(-1)!.position === to) return
    }
  } finally {
    close()
    signal?.removeEventListener('abort', abort)
  }
}

/** Opens one subscription that fills the buffer, slowing down when it is full. */
function subscribe(client: EventStoreDBClient, prefixes: readonly string[], buffer: EventBuffer): () => void {
  const request = subscription(prefixes, buffer.open())
  // The client's own way to open a stream of answers, which is protected: cluster, TLS and credentials stay with it.
  // biome-ignore lint/complexity/useLiteralKeys: what is protected is reached by its name
  const opening = client['GRPCStreamCreator'](StreamsClient, 'follow', grpc => {
    // biome-ignore lint/complexity/useLiteralKeys: as above
    const [metadata, options] = client['callArguments']({}, { deadline: Number.POSITIVE_INFINITY })
    return grpc.makeServerStreamRequest(READ, identity, received, request, metadata, options)
  })
  let closed = false
  const opened = opening()
  opened.then(
    messages => {
      messages.on('error', error => buffer.fail(error))
      if (closed) return messages.cancel()
      messages.on('data', (message: Received) => {
        if (message.kind === 'event') {
          if (buffer.push(message.event)) messages.pause()
        } else if (message.kind === 'checkpoint') buffer.mark(message.position)
        else if (message.kind === 'caught-up') buffer.caughtUp()
      })
      messages.on('end', () => buffer.fail(new Error('the event store ended the subscription')))
      buffer.onRoom = () => messages.resume()
    },
    error => buffer.fail(error),
  )
  return () => {
    closed = true
    buffer.onRoom = undefined
    opened.then(
      messages => {
        messages.removeAllListeners('data')
        messages.cancel()
      },
      () => {},
    )
  }
}

const identity = (bytes: Buffer): Buffer => bytes

/** `ReadReq` of a subscription to `$all` after a position, by prefixes of stream names. */
function subscription(prefixes: readonly string[], after: bigint): Buffer {
  const names = new Writer()
  for (const prefix of prefixes) names.string(2, prefix)
  const filter = new Writer().message(1, names).uint(3, WINDOW_EVENTS).uint(5, MARK_INTERVAL)
  const position = new Writer().uint(1, after).uint(2, after)
  const from = after === 0n ? new Writer().empty(2) : new Writer().message(1, position)
  const idsAsText = new Writer().empty(2)
  const options = new Writer().message(2, from).empty(6).message(7, filter).message(9, idsAsText)
  return new Writer().message(1, options).finish()
}

async function skipsOf(client: EventStoreDBClient, projection: string): Promise<ReadonlySet<bigint>> {
  const events = await collect(client.readStream(`projection-${projection}`, { deadline: CALL_TIMEOUT_MS })).catch(
    error => {
      if (error instanceof StreamNotFoundError) return []
      throw error
    },
  )
  const positions = events.flatMap(({ event }) => {
    const position = (event?.data as { position?: unknown } | undefined)?.position
    return event?.type === 'ProjectionEventSkipped' && typeof position === 'string' ? [BigInt(position)] : []
  })
  return new Set(positions)
}

async function collect<E>(reading: AsyncIterable<E> & { destroy: () => void }, signal?: AbortSignal): Promise<E[]> {
  const found: E[] = []
  const abort = () => reading.destroy()
  signal?.addEventListener('abort', abort, { once: true })
  try {
    for await (const event of reading) found.push(event)
    return found
  } finally {
    signal?.removeEventListener('abort', abort)
    reading.destroy()
  }
}
