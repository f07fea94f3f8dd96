import { memoryTimers } from '../../../projections/memory/memory-timers.ts'
import { rowsFor } from '../../support/rows-spec.ts'

const due = '2026-06-01T00:00:00.000Z'
const sealed = { key: '11111111-1111-4111-8111-111111111111', nonce: 'n'.repeat(16), text: 't'.repeat(30) }
const data = {
  type: 'general',
  text: sealed,
  subjects: ['mira'],
  author: 'user-1',
  tags: [],
  privacy: 'organization',
}
const stored = { type: 'MemoryStored', data: { ...data, expiresAt: due } }

describe('rows: timers of memories', () => {
  const { given } = rowsFor(memoryTimers)

  it('are set where a memory ends by itself', async () => {
    await given(stored).then({ thing: 'thing-1', due_at: due, command: 'expire', body: { expires_at: due } })
    await given({ ...stored, data }).then()
    const later = '2026-07-01T00:00:00.000Z'
    await given(stored, { type: 'MemoryExpirySet', data: { expiresAt: later } }).then({ due_at: later })
  })
  it('are cleared where it stays, and with it', async () => {
    await given(stored, { type: 'MemoryExpirySet', data: { expiresAt: null } }).then()
    await given(stored, { type: 'MemoryExpired', data: { expiresAt: due } }).then()
    await given(stored, { type: 'MemoryForgotten', data: {} }).then()
  })
})
