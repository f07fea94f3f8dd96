import type { AnyProjection } from '../rows/projection.ts'
import { secretLeases } from './secret-leases.ts'
import { secretTimers } from './secret-timers.ts'
import { secrets } from './secrets.ts'

export const vaultModels: readonly AnyProjection[] = [secrets, secretLeases, secretTimers]
