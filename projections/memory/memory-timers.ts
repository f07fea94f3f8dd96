import { events } from '../../domain/memory/memory/messages.ts'
import type { Handlers } from '../rows/projection.ts'
import { clears, sets, type TimerRow, timerModel } from '../timers/timer-model.ts'

const expires = sets<{ readonly expiresAt?: string | null | undefined }>(({ expiresAt }) =>
  expiresAt ? { at: expiresAt, command: 'expire', body: { expires_at: expiresAt } } : undefined,
)

const on: Handlers<TimerRow, typeof events> = {
  MemoryStored: expires,
  MemoryRevised: null,
  MemoryTagged: null,
  MemoryUntagged: null,
  MemoryLinked: null,
  MemoryUnlinked: null,
  MemoryExpirySet: expires,
  MemoryPrivacySet: null,
  MemoryShared: null,
  MemoryUnshared: null,
  MemoryArchived: null,
  MemoryUnarchived: null,
  MemoryExpired: clears(),
  MemoryForgotten: clears(),
}

/** When memories are forgotten by themselves. */
export const memoryTimers = timerModel({
  name: 'memory_timers',
  service: 'memory',
  version: 1,
  of: { memory: events },
  on,
})
