/** Sends a delivery again where its webhook is asked to. All that are parked are looked up by the sender. */
import { delivery } from '../../../domain/apps/delivery/delivery.ts'
import { events } from '../../../domain/apps/webhook/messages.ts'
import { process, step } from '../process.ts'

export const replayProcess = process({
  name: 'replay',
  of: { webhook: events },
  on: {
    WebhookRegistered: null,
    WebhookChanged: null,
    WebhookSecretRotated: null,
    WebhookPaused: null,
    WebhookResumed: null,
    WebhookDisabled: null,
    WebhookTested: null,
    WebhookReplayAsked: ({ data, metadata: { id } }) =>
      data.delivery === undefined ? [] : [step(delivery, 'replay', data.delivery, { webhook: id })],
    WebhookRemoved: null,
  },
})
