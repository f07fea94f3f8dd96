import type { AnyProjection } from '../rows/projection.ts'
import { memoryTimers } from './memory-timers.ts'
import { searchProfiles } from './search-profiles.ts'
import { storedMemories } from './stored-memories.ts'

/** Read models of the memories that are stored by command; what is remembered of all models is made from these. */
export const memoryModels: readonly AnyProjection[] = [storedMemories, memoryTimers, searchProfiles]
