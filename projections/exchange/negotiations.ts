import type { z } from 'zod'
import { events, outcome } from '../../domain/exchange/negotiation/messages.ts'
import {
  currency,
  id,
  integer,
  list,
  minorUnits,
  object,
  oneOf,
  text,
  timestamp,
  unsigned64,
} from '../../domain/kernel/schema.ts'
import { type Handlers, projection } from '../rows/projection.ts'
import { changed, made } from '../rows/thing.ts'

const row = object({
  org: id('org'),
  id: id('negotiation'),
  status: outcome,
  listing: id('listing').optional(),
  currency,
  places: integer(0, 30).meta({ description: 'decimal places that the amount is in' }),
  amount: minorUnits.meta({ description: 'of the last offer' }),
  message: text(2_000).optional(),
  from: text(128).meta({ description: 'who made the last offer' }),
  to: text(128).meta({ description: 'whose turn it is' }),
  opened_by: text(128),
  offers: unsigned64,
  expires_at: timestamp.optional(),
  privacy: oneOf('private'),
  readers: list(text(200), 2).meta({ description: 'who may read it: its two parties' }),
  revision: unsigned64,
  opened_at: timestamp,
  updated_at: timestamp,
  ended_at: timestamp.optional(),
})

const ended = (status: z.output<typeof outcome>) =>
  changed<z.output<typeof row>, object>((_, __, at) => ({ status, ended_at: at }))

const on: Handlers<z.output<typeof row>, typeof events> = {
  NegotiationOpened: made((data, at) => ({
    ...data,
    status: 'open',
    opened_by: data.from,
    offers: 1n,
    privacy: 'private',
    readers: [`user ${data.from}`, `user ${data.to}`],
    opened_at: at,
  })),
  OfferCountered: changed(({ from, to, amount, message, expires_at }, { offers }) => ({
    from,
    to,
    amount,
    message,
    expires_at,
    offers: offers + 1n,
  })),
  OfferAccepted: ended('accepted'),
  OfferDeclined: ended('declined'),
  OfferWithdrawn: ended('withdrawn'),
  OfferExpired: ended('expired'),
}

/** One row per negotiation, for its two parties alone. */
export const negotiations = projection({
  name: 'negotiations',
  service: 'exchange',
  version: 1,
  history: true,
  of: { negotiation: events },
  row,
  key: ['org', 'id'],
  readers: 'own',
  on,
  reads: [
    {
      one: 'negotiation',
      many: 'negotiations',
      path: '/negotiations',
      permission: 'negotiations.read',
      names: ['id'],
      order: ['id'],
      filters: ['status', 'listing', 'from', 'to', 'opened_by', 'currency', 'expires_at', 'opened_at'],
      groups: ['status', 'listing', 'from', 'to', 'currency', 'places', 'opened_at'],
      sums: ['amount'],
      places: { amount: 'places' },
      summary: {
        list: 'The negotiations of the caller.',
        get: 'A negotiation of the caller: its last offer, and whose turn it is.',
      },
    },
  ],
})
