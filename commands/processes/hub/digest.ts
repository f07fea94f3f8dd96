/** Requests the mail of a digest that is due: it tells of what came up to there. */
import { events } from '../../../domain/hub/inbox/messages.ts'
import { mail } from '../../../domain/hub/mail/mail.ts'
import { process, step } from '../process.ts'

export const digestProcess = process({
  name: 'digest',
  of: { inbox: events },
  on: {
    InboxOpened: null,
    NotificationRead: null,
    NotificationsRead: null,
    NotificationPreferenceChanged: null,
    InboxEmailSet: null,
    InboxEmailRemoved: null,
    InboxDigestSet: null,
    InboxDigestStopped: null,
    InboxDigestDue: ({ eventId, position, metadata: { id } }) => [
      step(mail, 'request', eventId, { user: id, upTo: position }),
    ],
  },
})
