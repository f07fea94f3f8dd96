/** The event store as commands use it: streams are read and appended to through `@eventstore/db-client`. */
import {
  ANY,
  binaryEvent,
  CancelledError,
  DeadlineExceededError,
  type EventData,
  EventStoreDBClient,
  jsonEvent,
  MaxAppendSizeExceededError,
  NO_STREAM,
  NotLeaderError,
  type ReadRevision,
  type RecordedEvent,
  StreamNotFoundError,
  TimeoutError,
  UnavailableError,
  UnknownError,
  WrongExpectedVersionError,
} from '@eventstore/db-client'
import { type DerivedEvent, type EventStore, LostRaceError, type NewEvent } from '../../commands/ports.ts'
import { KogiError } from '../../domain/kernel/errors.ts'
import type { StoredEvent } from '../../domain/kernel/event.ts'
import type { Json } from '../../domain/kernel/json.ts'
import { Status } from '../wire/grpc.ts'
import { within } from '../within.ts'

/** After this the answer of an append counts as lost: db-client does not enforce a deadline of its own there. */
const APPEND_TIMEOUT_MS = 5_000
const READ_TIMEOUT_MS = 10_000
/** Errors of the client for a server that is not there, changes its leader or breaks the call off. */
const AWAY = [UnavailableError, CancelledError, DeadlineExceededError, TimeoutError, NotLeaderError, UnknownError]
/** The same as gRPC statuses: the client hands them through when it asks for the server's features. */
const AWAY_STATUS: ReadonlySet<unknown> = new Set([Status.cancelled, Status.deadlineExceeded, Status.unavailable])

/** Connects lazily; every method of the port reconnects by itself after an outage. */
export function commandStore(
  url: string,
  appendTimeoutMs = APPEND_TIMEOUT_MS,
): EventStore & { close: () => Promise<void> } {
  const client = EventStoreDBClient.connectionString(url)

  const read = async (stream: string, direction: 'forwards' | 'backwards', from: ReadRevision, limit: number) => {
    const reading = client.readStream(stream, { direction, fromRevision: from, maxCount: limit })
    const collect = async () => {
      const events: RecordedEvent[] = []
      for await (const { event } of reading) if (event) events.push(event)
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
  const append = async (
    stream: string,
    expectedRevision: bigint | 'no_stream' | 'any',
    events: readonly NewEvent[],
  ) => {
    try {
      const options = { expectedRevision, deadline: appendTimeoutMs }
      return await answered(appendTimeoutMs, client.appendToStream(stream, events.map(asEventData), options))
    } catch (error) {
      throw asKogiError(error)
    }
  }

  return {
    read: async (stream, from, limit) => (await read(stream, 'forwards', from, limit)).map(asStoredEvent),
    last: async stream => (await read(stream, 'backwards', 'end', 1))[0],
    async append(stream, expected, events) {
      const result = await append(stream, expected < 0n ? NO_STREAM : expected, events)
      return { revision: result.nextExpectedRevision, position: result.position?.commit ?? 0n }
    },
    async appendDerived(stream, events) {
      await append(stream, ANY, events)
    },
    async readDerived(stream, direction, limit) {
      const from = direction === 'forwards' ? 'start' : 'end'
      return (await read(stream, direction, from, limit)).map(asDerivedEvent)
    },
    async keepLast(stream, count) {
      try {
        await answered(appendTimeoutMs, client.setStreamMetadata(stream, { maxCount: count }))
      } catch (error) {
        throw asKogiError(error)
      }
    },
    close: () => client.dispose(),
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

const utf8 = new TextEncoder()

function asEventData({ id, type, data, metadata }: NewEvent): EventData {
  // As bytes, because the client takes a third longer over an append where it encodes the metadata itself.
  const common = { id, type, metadata: utf8.encode(JSON.stringify(metadata)) }
  return data instanceof Uint8Array
    ? binaryEvent({ ...common, data })
    : jsonEvent({ ...common, data: data as Record<string, unknown> })
}

const answered = <T>(ms: number, promise: Promise<T>): Promise<T> =>
  within(ms, promise, () => new KogiError('engine_unavailable', `The event store did not answer in ${ms} ms.`))

function asKogiError(error: unknown): unknown {
  if (error instanceof WrongExpectedVersionError) return new LostRaceError(error.message, { cause: error })
  if (error instanceof MaxAppendSizeExceededError) {
    return new KogiError('body_too_large', 'The command makes events larger than one append may be.')
  }
  if (AWAY.some(kind => error instanceof kind) || AWAY_STATUS.has((error as { code?: unknown }).code)) {
    return new KogiError('engine_unavailable', 'The event store cannot be reached.', [], { cause: error as Error })
  }
  return error
}
