/** Finds domain streams that are no longer whole. */
import { EventStoreDBClient, eventTypeFilter, START, streamNameFilter } from '@eventstore/db-client'

/** Metadata that makes a server leave out or delete events. */
const LIMITS = ['$tb', '$maxCount', '$maxAge'] as const

/**
 * Domain streams that were deleted, truncated or limited, with what was done to them. Kogi never does that, and a read
 * model built from such a stream is wrong.
 */
export async function damagedStreams(url: string, prefixes: readonly string[]): Promise<readonly string[]> {
  const client = EventStoreDBClient.connectionString(url)
  const found = new Map<string, string | undefined>()
  try {
    const metastreams = streamNameFilter({ prefixes: prefixes.map(prefix => `$$${prefix}`) })
    await scan(client, metastreams, (stream, data) => {
      const limits = LIMITS.filter(limit => Object.hasOwn(Object(data), limit))
      // The last metadata counts, so a limit that was taken back is none.
      found.set(stream.slice(2), limits.length > 0 ? `limited by ${limits.join(', ')}` : undefined)
    })
    await scan(client, eventTypeFilter({ prefixes: ['$streamDeleted'] }), stream => {
      if (prefixes.some(prefix => stream.startsWith(prefix))) found.set(stream, 'deleted for ever')
    })
  } finally {
    await client.dispose()
  }
  return [...found].flatMap(([stream, what]) => (what === undefined ? [] : [`${stream} ${what}`]))
}

type Filter = ReturnType<typeof streamNameFilter>

/** Every stored event that passes the filter, in order. */
function scan(client: EventStoreDBClient, filter: Filter, onEvent: (stream: string, data: unknown) => void) {
  return new Promise<void>((resolve, reject) => {
    const subscription = client.subscribeToAll({ fromPosition: START, filter })
    subscription.on('data', ({ event }) => {
      if (event) onEvent(event.streamId, event.data)
    })
    subscription.on('error', reject)
    subscription.on('caughtUp', () => {
      subscription.unsubscribe().catch(() => {})
      resolve()
    })
  })
}
