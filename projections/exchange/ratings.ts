import type { z } from 'zod'
import { events } from '../../domain/exchange/order/messages.ts'
import type { DomainEvent } from '../../domain/kernel/event.ts'
import { id, integer, object, text, timestamp, unsigned64 } from '../../domain/kernel/schema.ts'
import { type Handler, type Handlers, projection } from '../rows/projection.ts'

type Revealed = z.output<(typeof events)['OrderReviewsRevealed']>

const row = object({
  org: id('org'),
  party: text(128).meta({ description: 'who was rated' }),
  ratings: unsigned64.meta({ description: 'how many there are' }),
  total: unsigned64.meta({ description: 'all of them added up' }),
  average_e4: integer(0, 50_000).meta({ description: 'the average × 10,000, rounded half up: 42500 is 4.25' }),
  as_vendor: unsigned64.meta({ description: 'how many of them were given to the vendor of an order' }),
  updated_at: timestamp,
})
type Row = z.output<typeof row>

const counted: Handler<Row, Revealed> = {
  keys: ({ data: { reviews }, metadata: { org } }: DomainEvent<string, Revealed>) =>
    reviews.map(({ about: party }) => ({ org, party })),
  fold: (before, { data: { reviews }, metadata: { at } }, { org, party }) => {
    const own = reviews.filter(({ about }) => about === party)
    const ratings = (before?.ratings ?? 0n) + BigInt(own.length)
    const total = own.reduce((sum, { rating }) => sum + BigInt(rating), before?.total ?? 0n)
    const asVendor = own.filter(({ side }) => side === 'buyer').length
    return {
      org: String(org),
      party: String(party),
      ratings,
      total,
      average_e4: Number((total * 20_000n + ratings) / (2n * ratings)),
      as_vendor: (before?.as_vendor ?? 0n) + BigInt(asVendor),
      updated_at: at,
    }
  },
}

const on: Handlers<Row, typeof events> = {
  OrderPlaced: null,
  OrderRefused: null,
  OrderHeld: null,
  OrderConfirmed: null,
  OrderDelivered: null,
  OrderDisputed: null,
  OrderDue: null,
  OrderPaymentRefused: null,
  OrderEnded: null,
  OrderReviewed: null,
  OrderReviewsRevealed: counted,
}

/** One row per rated party: how many ratings, and their average. */
export const ratings = projection({
  name: 'ratings',
  service: 'exchange',
  version: 1,
  history: true,
  of: { order: events },
  row,
  key: ['org', 'party'],
  isOfOthers: true,
  on,
  reads: [
    {
      one: 'rating',
      many: 'ratings',
      path: '/ratings',
      permission: 'reviews.read',
      names: ['party'],
      order: ['party'],
      filters: ['average_e4', 'ratings'],
      summary: { list: 'Who was rated, how often, and how on average.', get: 'How someone was rated on average.' },
    },
  ],
})
