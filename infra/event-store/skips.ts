/** Writes and reads the decisions of operators that a projection goes past an event. */
import { ANY, EventStoreDBClient, jsonEvent, StreamNotFoundError } from '@eventstore/db-client'
import { uuidOf } from '../../commands/ids.ts'

/** A projection goes past one event for good: rebuild, check and replay honour it. */
export type Skip = {
  readonly projection: string
  readonly position: bigint
  readonly reason: string
  readonly actor: string
}

/** Writes a skip to the log, in the stream `projection-<name>`. Writing it twice is the same as once. */
export async function writeSkip(url: string, { projection, position, reason, actor }: Skip): Promise<void> {
  const client = EventStoreDBClient.connectionString(url)
  try {
    const event = jsonEvent({
      id: uuidOf(['projection', projection, String(position)]),
      type: 'ProjectionEventSkipped',
      data: { projection, position: String(position), reason, actor, at: new Date().toISOString() },
    })
    await client.appendToStream(`projection-${projection}`, event, { expectedRevision: ANY })
  } finally {
    await client.dispose()
  }
}

/** The skips that the log holds for some projections; of several at one position, the first counts. */
export async function readSkips(url: string, projections: readonly string[]): Promise<readonly (Skip & At)[]> {
  const client = EventStoreDBClient.connectionString(url)
  const found = new Map<string, Skip & At>()
  try {
    for (const projection of projections) {
      const reading = client.readStream(`projection-${projection}`)
      try {
        for await (const { event } of reading) {
          if (event?.type !== 'ProjectionEventSkipped') continue
          const { position, reason, actor, at } = event.data as unknown as Record<
            'position' | 'reason' | 'actor' | 'at',
            string
          >
          const key = `${projection} ${position}`
          if (!found.has(key)) found.set(key, { projection, position: BigInt(position), reason, actor, at })
        }
      } catch (error) {
        if (!(error instanceof StreamNotFoundError)) throw error
      }
    }
  } finally {
    await client.dispose()
  }
  return [...found.values()]
}

type At = { readonly at: string }
