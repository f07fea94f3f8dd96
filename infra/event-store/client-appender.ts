/** Appends through `@eventstore/db-client`: one call for each where the server knows no BatchAppend. */
import {
  ANY,
  type AppendExpectedRevision,
  binaryEvent,
  type EventData,
  jsonEvent,
  NO_STREAM,
} from '@eventstore/db-client'
import type { NewEvent } from '../../commands/ports.ts'
import type { Appender, AppenderOptions } from './appender.ts'
import { answered, asKogiError } from './failures.ts'

export function clientAppender({ client, timeoutMs }: Omit<AppenderOptions, 'url'>): Appender {
  return {
    async append(stream, expected, events) {
      const expectedRevision: AppendExpectedRevision = expected === 'any' ? ANY : expected < 0n ? NO_STREAM : expected
      try {
        // The client does not enforce a deadline on a BatchAppend.
        const options = { expectedRevision, deadline: timeoutMs }
        const appending = client.appendToStream(stream, events.map(asEventData), options)
        const { nextExpectedRevision, position } = await answered(timeoutMs, appending)
        return { revision: nextExpectedRevision, position: position?.commit ?? 0n }
      } catch (error) {
        throw asKogiError(error)
      }
    },
    positions: async () => [],
    read: async () => undefined,
    close: () => {},
  }
}

const utf8 = new TextEncoder()

function asEventData({ id, type, data, metadata, metadataText }: NewEvent): EventData {
  // As bytes, because the client takes a third longer over an append where it encodes the metadata itself.
  const common = { id, type, metadata: utf8.encode(metadataText ?? JSON.stringify(metadata)) }
  return data instanceof Uint8Array
    ? binaryEvent({ ...common, data })
    : jsonEvent({ ...common, data: data as Record<string, unknown> })
}
