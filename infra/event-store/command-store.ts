/**
 * The event store as commands use it, through `@eventstore/db-client`. Appends go past the client (`lean-appender.ts`),
 * and so do reads of streams over the same connection, once there is one.
 */
import { setImmediate } from 'node:timers/promises'
import { EventStoreDBClient, type ReadRevision, type RecordedEvent, StreamNotFoundError } from '@eventstore/db-client'
import type { DerivedEvent, EventStore } from '../../commands/ports.ts'
import type { StoredEvent } from '../../domain/kernel/event.ts'
import type { Json } from '../../domain/kernel/json.ts'
import type { Appender, AppenderOptions } from './appender.ts'
import { answered, asKogiError } from './failures.ts'
import { leanAppender } from './lean-appender.ts'

/** After this the answer of an append counts as lost. */
const APPEND_TIMEOUT_MS = 5_000
const READ_TIMEOUT_MS = 10_000
/** Time after which a long read gives the event loop back. */
const SLICE_MS = 5

/** Connects lazily; every method of the port reconnects by itself after an outage. */
export function commandStore(
  url: string,
  appendTimeoutMs = APPEND_TIMEOUT_MS,
  makeAppender: (options: AppenderOptions) => Appender = leanAppender,
): EventStore & { close: () => Promise<void> } {
  const client = EventStoreDBClient.connectionString(url)
  const { append, positions, close, ...lean } = makeAppender({ url, client, timeoutMs: appendTimeoutMs })

  const read = async (stream: string, direction: 'forwards' | 'backwards', from: ReadRevision, limit: number) => {
    const reading = client.readStream(stream, { direction, fromRevision: from, maxCount: limit })
    const collect = async () => {
      const events: RecordedEvent[] = []
      let since = performance.now()
      for await (const { event } of reading) {
        if (event) events.push(event)
        if (performance.now() - since < SLICE_MS) continue
        await setImmediate()
        since = performance.now()
      }
      return events
    }
    try {
      return await answered(READ_TIMEOUT_MS, collect())
    } catch (error) {
      if (error instanceof StreamNotFoundError) return []
      throw asKogiError(error)
    } finally {
      reading.destroy()
    }
  }

  const limit = async (stream: string, limits: { readonly maxCount: number } | { readonly maxAge: number }) => {
    try {
      await answered(appendTimeoutMs, client.setStreamMetadata(stream, limits))
    } catch (error) {
      throw asKogiError(error)
    }
  }

  return {
    read: async (stream, from, limit) =>
      (await lean.read(stream, from, limit)) ?? (await read(stream, 'forwards', from, limit)).map(asStoredEvent),
    last: async stream => (await read(stream, 'backwards', 'end', 1))[0],
    append,
    positions,
    async appendDerived(stream, events) {
      await append(stream, 'any', events)
    },
    async readDerived(stream, direction, limit, from) {
      const end = direction === 'forwards' ? 'start' : 'end'
      return (await read(stream, direction, from ?? end, limit)).map(asDerivedEvent)
    },
    keepLast: (stream, count) => limit(stream, { maxCount: count }),
    keepFor: (stream, seconds) => limit(stream, { maxAge: seconds }),
    async close() {
      close()
      await client.dispose()
    },
  }
}

/** The write path wrote the metadata, so its shape is known. */
const asStoredEvent = (event: RecordedEvent): StoredEvent => ({
  type: event.type,
  data: event.data as StoredEvent['data'],
  metadata: event.metadata as StoredEvent['metadata'],
  eventId: event.id,
  stream: event.streamId,
  revision: event.revision,
  position: event.position?.commit ?? 0n,
})

const asDerivedEvent = ({ data, metadata, revision }: RecordedEvent): DerivedEvent => ({
  data: data as Json | Uint8Array,
  metadata: metadata as Json,
  revision,
})
