/** What follows when a memory is forgotten: the key of its text is destroyed, as keys of erased persons are. */
import { erasure } from '../../../domain/audit/erasure/erasure.ts'
import { events } from '../../../domain/memory/memory/messages.ts'
import { process, step } from '../process.ts'

const destroyed = (id: string, reason: string) => [
  step(erasure, 'forget', erasure.only!, { category: 'memory', thing: id, reason }),
]

export const forgettingProcess = process({
  name: 'forgetting',
  of: { memory: events },
  on: {
    MemoryStored: null,
    MemoryRevised: null,
    MemoryTagged: null,
    MemoryUntagged: null,
    MemoryLinked: null,
    MemoryUnlinked: null,
    MemoryExpirySet: null,
    MemoryPrivacySet: null,
    MemoryShared: null,
    MemoryUnshared: null,
    MemoryArchived: null,
    MemoryUnarchived: null,
    MemoryExpired: ({ data, metadata: { id } }) => destroyed(id, `The memory was to expire at ${data.expiresAt}.`),
    MemoryForgotten: ({ data, metadata: { id } }) => destroyed(id, data.reason ?? 'The memory was forgotten.'),
  },
})
