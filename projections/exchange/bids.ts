import type { z } from 'zod'
import { events } from '../../domain/exchange/auction/messages.ts'
import { id, minorUnits, object, text, timestamp, unsigned64 } from '../../domain/kernel/schema.ts'
import { type Handlers, projection } from '../rows/projection.ts'
import { auctions } from './auctions.ts'

const row = object({
  org: id('org'),
  auction: id('auction'),
  bid: id('bid'),
  bidder: text(128),
  leader: text(128).optional().meta({ description: 'English: who led after it' }),
  price: minorUnits
    .optional()
    .meta({ description: 'English: the price after it; no row has what a bidder pays at most' }),
  revision: unsigned64,
  position: unsigned64,
  placed_at: timestamp,
})

const on: Handlers<z.output<typeof row>, typeof events> = {
  AuctionOpened: null,
  BidPlaced: {
    append: ({ data: { bid, bidder, leader, price }, metadata: { org, id, at }, revision, position }) => [
      { org, auction: id, bid, bidder, leader, price, revision, position, placed_at: at },
    ],
  },
  AuctionExtended: null,
  AuctionEnded: null,
}

/** One row per bid. */
export const bids = projection({
  name: 'bids',
  service: 'exchange',
  version: 1,
  history: false,
  of: { auction: events },
  row,
  key: ['org', 'auction', 'bid'],
  on,
  reads: [
    {
      one: 'bid',
      many: 'bids',
      path: '/auctions/:id/bids',
      permission: 'bids.read',
      parents: { id: 'auction' },
      within: auctions,
      names: ['bid'],
      order: ['revision'],
      filters: ['bidder', 'placed_at'],
      groups: ['bidder', 'placed_at'],
      summary: { list: 'The bids of an auction, in their order.', get: 'A bid of an auction.' },
    },
  ],
})
