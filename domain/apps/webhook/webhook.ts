import { aggregate, type Decide, type Evolve } from '../../kernel/aggregate.ts'
import { invariant, rejected } from '../../kernel/errors.ts'
import type { Sealed } from '../../kernel/schema.ts'
import { activity } from './activity.ts'
import { commands, events, rejections } from './messages.ts'

/**
 * An endpoint that is there: paused ones miss nothing, their deliveries wait. A disabled one said that it is gone: no
 * deliveries are requested for it until it is resumed, and then all that it missed.
 */
type Registered = {
  readonly status: 'active' | 'paused' | 'disabled'
  readonly url: string
  readonly description?: string | undefined
  readonly types?: readonly string[] | undefined
  readonly categories?: readonly string[] | undefined
  readonly owner: string
  /** Patterns of the permissions that its maker held. */
  readonly grants: readonly string[]
  readonly secret: Sealed
  /** The secret before the last rotation, and when that was. */
  readonly earlier?: { readonly secret: Sealed; readonly rotatedAt: string } | undefined
}

export type Webhook = { readonly status: 'none' } | Registered | { readonly status: 'removed'; readonly owner: string }

const evolve: Evolve<Webhook, typeof events> = {
  WebhookRegistered: (_, registered) => ({ status: 'active', ...registered }),
  WebhookChanged(webhook, { url, description }) {
    const before = known(webhook)
    const described = description === undefined ? {} : { description: description ?? undefined }
    return { ...before, url: url ?? before.url, ...described }
  },
  WebhookSecretRotated(webhook, { secret }, rotatedAt) {
    const before = known(webhook)
    return { ...before, secret, earlier: { secret: before.secret, rotatedAt } }
  },
  WebhookPaused: webhook => ({ ...known(webhook), status: 'paused' }),
  WebhookResumed: webhook => ({ ...known(webhook), status: 'active' }),
  WebhookDisabled: webhook => ({ ...known(webhook), status: 'disabled' }),
  WebhookTested: webhook => webhook,
  WebhookReplayAsked: webhook => webhook,
  WebhookRemoved: webhook => ({ status: 'removed', owner: known(webhook).owner }),
}

const decide: Decide<Webhook, typeof commands, typeof events> = {
  register(webhook, { id: _, ...asked }, { actor, permissions }) {
    if (webhook.status !== 'none') {
      throw rejected('webhook_already_registered', 'There is or was a webhook with this id; choose another one.')
    }
    const grants = permissions.filter(name => name.endsWith('.read') || name.endsWith('*'))
    return [{ type: 'WebhookRegistered', data: { ...asked, owner: actor, grants } }]
  },
  change(webhook, { url, description }) {
    const before = there(webhook)
    const changes = {
      ...(url !== undefined && url !== before.url && { url }),
      ...(description !== undefined && (description ?? undefined) !== before.description && { description }),
    }
    return Object.keys(changes).length > 0 ? [{ type: 'WebhookChanged', data: changes }] : []
  },
  rotate(webhook, { secret }) {
    there(webhook)
    return [{ type: 'WebhookSecretRotated', data: { secret } }]
  },
  pause: webhook => (there(webhook).status === 'active' ? [{ type: 'WebhookPaused', data: {} }] : []),
  resume: webhook => (there(webhook).status === 'active' ? [] : [{ type: 'WebhookResumed', data: {} }]),
  disable(webhook, { delivery }) {
    if (!('url' in webhook) || webhook.status === 'disabled') return []
    return [{ type: 'WebhookDisabled', data: { delivery, owner: webhook.owner } }]
  },
  test(webhook) {
    there(webhook)
    return [{ type: 'WebhookTested', data: {} }]
  },
  replay(webhook, { delivery }) {
    there(webhook)
    return [{ type: 'WebhookReplayAsked', data: delivery === undefined ? {} : { delivery } }]
  },
  remove: webhook => (webhook.status === 'removed' ? [] : [{ type: 'WebhookRemoved', data: {} }]),
}

const WRITE = 'webhooks.write'

/** An endpoint of another system that events are posted to. */
export const webhook = aggregate({
  name: 'webhook',
  events,
  commands,
  api: {
    register: ['POST /webhooks', WRITE, 'Register an endpoint for events; the reply alone shows its secret.'],
    change: ['PATCH /webhooks/:id', WRITE, 'Change where the events of a webhook go.'],
    rotate: ['POST /webhooks/:id/rotate', WRITE, 'Make a new secret; the earlier one signs as well for a day.'],
    pause: ['POST /webhooks/:id/pause', WRITE, 'Send nothing for a while: deliveries wait.'],
    resume: ['POST /webhooks/:id/resume', WRITE, 'Send again, what has waited first.'],
    disable: 'internal',
    test: ['POST /webhooks/:id/test', WRITE, 'Send a test event.'],
    replay: ['POST /webhooks/:id/replay', WRITE, 'Send a delivery again, or all that are parked.'],
    remove: ['DELETE /webhooks/:id', WRITE, 'Remove a webhook; what waits for it is not sent.'],
  },
  rejections,
  initial: { status: 'none' } as Webhook,
  evolve,
  decide,
  stateSchema: 1,
  subjectOf: state => ('owner' in state ? state.owner : undefined),
  removedBy: ['WebhookRemoved'],
  activity,
})

function there(webhook: Webhook): Registered {
  if ('url' in webhook) return webhook
  throw rejected('webhook_removed', 'The webhook was removed; register a new one.')
}

function known(webhook: Webhook): Registered {
  invariant('url' in webhook, `an event of a webhook that is ${webhook.status}`)
  return webhook
}
