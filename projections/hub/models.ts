import type { AnyProjection } from '../rows/projection.ts'
import { inboxes } from './inboxes.ts'
import { notifications } from './notifications.ts'

export const hubModels: readonly AnyProjection[] = [inboxes, notifications]
