import type { Activity } from '../../kernel/activity.ts'
import { said, THING } from '../../record/said.ts'
import type { events } from './messages.ts'

export const activity: Activity<typeof events> = {
  called: 'description',
  on: {
    WebhookRegistered: said`registered the webhook ${THING}`,
    WebhookChanged: said`changed the webhook ${THING}`,
    WebhookSecretRotated: said`renewed the secret of the webhook ${THING}`,
    WebhookPaused: said`paused the webhook ${THING}`,
    WebhookResumed: said`resumed the webhook ${THING}`,
    WebhookDisabled: said`disabled the webhook ${THING}, because its receiver said that it is gone`,
    WebhookTested: said`tested the webhook ${THING}`,
    WebhookReplayAsked: said`asked to send again what went to the webhook ${THING}`,
    WebhookRemoved: said`removed the webhook ${THING}`,
  },
}
