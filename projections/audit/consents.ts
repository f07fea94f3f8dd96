import type { z } from 'zod'
import { events } from '../../domain/audit/consent/messages.ts'
import { id, object, oneOf, timestamp, unsigned64 } from '../../domain/kernel/schema.ts'
import { type Handlers, projection } from '../rows/projection.ts'
import { changed, made } from '../rows/thing.ts'

const { subject, purpose, wording, evidence } = events.ConsentGiven.shape

const row = object({
  org: id('org'),
  id: id('consent'),
  subject,
  purpose,
  wording,
  evidence,
  status: oneOf('given', 'withdrawn', 'expired'),
  given_at: timestamp,
  expires_at: timestamp.optional().meta({ description: 'when it ends by itself' }),
  ended_at: timestamp.optional().meta({ description: 'when it was withdrawn, or was over' }),
  reason: events.ConsentWithdrawn.shape.reason,
  revision: unsigned64,
  updated_at: timestamp,
})

const on: Handlers<z.output<typeof row>, typeof events> = {
  ConsentGiven: made(({ expiresAt, ...data }, at) => ({
    ...data,
    status: 'given',
    given_at: at,
    expires_at: expiresAt,
  })),
  ConsentWithdrawn: changed(({ reason }, _, at) => ({ status: 'withdrawn', ended_at: at, reason })),
  ConsentExpired: changed((_, __, at) => ({ status: 'expired', ended_at: at })),
}

/** One row per consent: who agreed to what, and whether that still holds. */
export const consents = projection({
  name: 'consents',
  service: 'audit',
  version: 1,
  history: true,
  of: { consent: events },
  row,
  key: ['org', 'id'],
  on,
  reads: [
    {
      one: 'consent',
      many: 'consents',
      path: '/consents',
      permission: 'consents.read',
      names: ['id'],
      order: ['id'],
      filters: ['subject', 'purpose', 'given_at', 'expires_at'],
      walked: ['status'],
      groups: ['purpose', 'status', 'given_at'],
      summary: {
        list: 'To what persons have consented, by purpose, and whether that still holds.',
        get: 'A consent, by its id.',
      },
    },
  ],
})
