import type { Activity } from '../../kernel/activity.ts'
import { said, THING } from '../../record/said.ts'
import type { events } from './messages.ts'

export const activity: Activity<typeof events> = {
  untold: true,
  on: {
    MailRequested: ({ user }) => said`requested the mail ${THING} to ${user}`,
    MailSent: said`completed the mail ${THING}`,
    MailFailed: ({ failure }) => said`failed with the mail ${THING} (${failure})`,
    MailOmitted: ({ why }) => said`omitted the mail ${THING} (${why})`,
  },
}
