import type { AnyProjection } from '../rows/projection.ts'
import { digestTimers } from './digest-timers.ts'
import { inboxes } from './inboxes.ts'
import { mails } from './mails.ts'
import { notifications } from './notifications.ts'

export const hubModels: readonly AnyProjection[] = [inboxes, notifications, mails, digestTimers]
