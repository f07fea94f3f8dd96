import { ANY, EventStoreDBClient, jsonEvent } from '@eventstore/db-client'
import { uuidOf } from '../../commands/ids.ts'

/** An operator's decision that a projection goes past one event, for good: rebuild, check and replay honour it. */
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
