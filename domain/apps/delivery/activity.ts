import type { Activity } from '../../kernel/activity.ts'
import { mention, said, THING } from '../../record/said.ts'
import type { events } from './messages.ts'

export const activity: Activity<typeof events> = {
  on: {
    DeliveryRequested: ({ webhook }) =>
      said`requested the delivery ${THING} to the webhook ${mention('webhook', webhook)}`,
    DeliverySucceeded: said`completed the delivery ${THING}`,
    DeliveryFailed: ({ failure }) => said`failed with the delivery ${THING} (${failure})`,
    DeliveryReplayed: said`repeated the delivery ${THING}`,
  },
}
