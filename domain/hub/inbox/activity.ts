import type { Activity } from '../../kernel/activity.ts'
import { said, THING } from '../../record/said.ts'
import type { events } from './messages.ts'

export const activity: Activity<typeof events> = {
  untold: true,
  on: {
    InboxOpened: said`opened the inbox ${THING}`,
    NotificationRead: said`marked a notification of the inbox ${THING} as read`,
    NotificationsRead: said`marked the notifications of the inbox ${THING} as read`,
    NotificationPreferenceChanged: ({ kind, channel, wanted }) =>
      said`turned ${kind} by ${channel} ${wanted ? 'on' : 'off'} for the inbox ${THING}`,
    InboxEmailSet: said`gave the inbox ${THING} an e-mail address`,
    InboxEmailRemoved: said`removed the e-mail address of the inbox ${THING}`,
    InboxDigestSet: ({ every }) => said`asked for a digest of the inbox ${THING} every ${every}`,
    InboxDigestStopped: said`stopped the digest of the inbox ${THING}`,
    InboxDigestDue: said`requested a digest of the inbox ${THING}`,
  },
}
