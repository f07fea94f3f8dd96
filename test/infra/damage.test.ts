/** Domain streams that lost events, or may lose them, are found. */
import { EventStoreDBClient, jsonEvent } from '@eventstore/db-client'
import { expect } from 'chai'
import { startEventStore } from '../../infra/embedded/event-store/index.ts'
import { damagedStreams } from '../../infra/event-store/damage.ts'

describe('damaged streams', () => {
  it('are those of the domain that were deleted, truncated or limited, and no others', async () => {
    const store = await startEventStore({ memory: true })
    const client = EventStoreDBClient.connectionString(store.url)
    try {
      const write = (stream: string) =>
        client.appendToStream(
          stream,
          [1, 2].map(n => jsonEvent({ type: 'E', data: { n } })),
        )
      const streams = ['wallet-a', 'wallet-b', 'wallet-c', 'wallet-d', 'wallet-ok', 'wallet_snapshot-a', 'other-x']
      for (const stream of streams) await write(stream)
      expect(await damagedStreams(store.url, ['wallet-'])).to.deep.equal([])
      await client.setStreamMetadata('wallet-a', { truncateBefore: 1 })
      await client.deleteStream('wallet-b')
      await client.tombstoneStream('wallet-c')
      await client.setStreamMetadata('wallet-d', { maxCount: 1 })
      await client.setStreamMetadata('wallet-d', {})
      await client.setStreamMetadata('wallet_snapshot-a', { maxCount: 1 })
      await client.tombstoneStream('other-x')
      expect(await damagedStreams(store.url, ['wallet-'])).to.have.members([
        'wallet-a limited by $tb',
        'wallet-b limited by $tb',
        'wallet-c deleted for ever',
      ])
    } finally {
      await client.dispose()
      await store.close()
    }
  })
})
