import type { z } from 'zod'
import { events } from '../../domain/exchange/order/messages.ts'
import type { DomainEvent } from '../../domain/kernel/event.ts'
import { id, integer, object, oneOf, text, timestamp, unsigned64 } from '../../domain/kernel/schema.ts'
import { type Handlers, projection } from '../rows/projection.ts'

type Reviews = z.output<(typeof events)['OrderReviewsRevealed']>['reviews']

const row = object({
  org: id('org'),
  order: id('order'),
  side: oneOf('buyer', 'vendor'),
  author: text(128),
  about: text(128),
  rating: integer(0, 5),
  text: text(2_000).optional(),
  given_at: timestamp,
  revision: unsigned64,
  position: unsigned64,
})

const revealed = ({
  data: { reviews },
  metadata: { org, id },
  revision,
  position,
}: DomainEvent<string, { reviews: Reviews }>) =>
  reviews.map(({ at, by: author, ...review }) => ({
    org,
    order: id,
    author,
    ...review,
    given_at: at,
    revision,
    position,
  }))

const on: Handlers<z.output<typeof row>, typeof events> = {
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
  OrderReviewsRevealed: { append: revealed },
}

/** One row per review, once the reviews of its order are revealed. */
export const reviews = projection({
  name: 'reviews',
  service: 'exchange',
  version: 1,
  history: false,
  of: { order: events },
  row,
  key: ['org', 'order', 'side'],
  on,
  reads: [
    {
      one: 'review',
      many: 'reviews',
      path: '/reviews',
      permission: 'reviews.read',
      names: ['order', 'side'],
      order: ['position', 'side'],
      filters: ['about', 'author', 'rating', 'given_at'],
      groups: ['about', 'author', 'side', 'rating', 'given_at'],
      sums: ['rating'],
      units: { rating: null },
      summary: { list: 'The reviews of orders that are revealed.', get: 'The review of one side of an order.' },
    },
  ],
})
