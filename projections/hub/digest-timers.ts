import { events } from '../../domain/hub/inbox/messages.ts'
import type { Handlers } from '../rows/projection.ts'
import { clears, sets, type TimerRow, timerModel } from '../timers/timer-model.ts'

const asks = ({ next }: { readonly next: string }) => ({ at: next, command: 'sendDigest', body: { due: next } })

const on: Handlers<TimerRow, typeof events> = {
  InboxOpened: null,
  NotificationRead: null,
  NotificationsRead: null,
  NotificationPreferenceChanged: null,
  InboxEmailSet: null,
  InboxEmailRemoved: null,
  InboxDigestSet: sets(asks),
  InboxDigestStopped: clears(),
  InboxDigestDue: sets(asks),
}

/** When the digests of inboxes are due. */
export const digestTimers = timerModel({ name: 'digest_timers', service: 'hub', version: 2, of: { inbox: events }, on })
