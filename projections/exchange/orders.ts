import type { z } from 'zod'
import { events } from '../../domain/exchange/order/messages.ts'
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

const placed = events.OrderPlaced.shape

const row = object({
  org: id('org'),
  id: id('order'),
  status: oneOf('placed', 'refused', 'held', 'confirmed', 'delivered', 'disputed', 'settling', 'unpaid', 'ended'),
  title: text(255),
  description: text(10_000).optional(),
  buyer: text(128),
  vendor: text(128),
  arbiter: text(128).optional(),
  listing: id('listing').optional(),
  auction: id('auction').optional(),
  negotiation: id('negotiation').optional(),
  wallet: id('wallet'),
  account: placed.account,
  to_wallet: id('wallet').optional(),
  to_account: text(255).optional(),
  amount: minorUnits,
  currency,
  places: integer(0, 30),
  to_vendor: minorUnits.optional().meta({ description: 'what the vendor gets of the amount, once that is decided' }),
  to_buyer: minorUnits.optional(),
  why: events.OrderDue.shape.why.optional().meta({ description: 'why it is settled so' }),
  reason: text(2_000).optional().meta({ description: 'of the last dispute, decision or refusal' }),
  note: text(2_000).optional(),
  deliver_by: timestamp.optional(),
  inspection_days: integer(1, 365),
  delivered_at: timestamp.optional(),
  accepted_at: timestamp.optional().meta({ description: 'when a delivery counts as accepted' }),
  privacy: oneOf('private'),
  readers: list(text(200), 3).meta({ description: 'who may read it: both sides, and the arbiter' }),
  revision: unsigned64,
  placed_at: timestamp,
  updated_at: timestamp,
  ended_at: timestamp.optional(),
})

const on: Handlers<z.output<typeof row>, typeof events> = {
  OrderPlaced: made((data, at) => ({
    ...data,
    status: 'placed',
    privacy: 'private',
    readers: [...new Set([data.buyer, data.vendor, ...(data.arbiter ? [data.arbiter] : [])])].map(who => `user ${who}`),
    placed_at: at,
  })),
  OrderRefused: changed(({ code }, _, at) => ({ status: 'refused', reason: code, ended_at: at })),
  OrderHeld: changed(() => ({ status: 'held' })),
  OrderConfirmed: changed(target => ({ status: 'confirmed', ...target })),
  OrderDelivered: changed(({ note, accepted_at }, _, at) => ({
    status: 'delivered',
    note,
    accepted_at,
    delivered_at: at,
  })),
  OrderDisputed: changed(({ reason }) => ({ status: 'disputed', reason })),
  OrderDue: changed(({ to_vendor, to_buyer, why, reason, to_wallet, to_account }, before) => ({
    status: 'settling',
    to_vendor,
    to_buyer,
    why,
    reason: reason ?? before.reason,
    to_wallet,
    to_account,
  })),
  OrderPaymentRefused: changed(({ code }) => ({ status: 'unpaid', reason: code })),
  OrderEnded: changed((_, __, at) => ({ status: 'ended', ended_at: at })),
  OrderReviewed: changed(() => ({})),
  OrderReviewsRevealed: changed(() => ({})),
}

/** One row per order, for its two sides and its arbiter. */
export const orders = projection({
  name: 'orders',
  service: 'exchange',
  version: 1,
  history: true,
  of: { order: events },
  row,
  key: ['org', 'id'],
  readers: 'own',
  on,
  reads: [
    {
      one: 'order',
      many: 'orders',
      path: '/orders',
      permission: 'orders.read',
      names: ['id'],
      order: ['id'],
      filters: ['status', 'buyer', 'vendor', 'listing', 'auction', 'currency', 'placed_at', 'ended_at'],
      groups: ['status', 'buyer', 'vendor', 'currency', 'places', 'why', 'placed_at', 'ended_at'],
      sums: ['amount', 'to_vendor', 'to_buyer'],
      places: { amount: 'places', to_vendor: 'places', to_buyer: 'places' },
      summary: { list: 'The orders of the caller.', get: 'An order of the caller: its terms, and how it stands.' },
    },
  ],
})
