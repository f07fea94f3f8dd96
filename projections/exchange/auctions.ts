import type { z } from 'zod'
import { events } from '../../domain/exchange/auction/messages.ts'
import {
  boolean,
  column,
  currency,
  id,
  integer,
  minorUnits,
  object,
  oneOf,
  text,
  timestamp,
  unsigned64,
} from '../../domain/kernel/schema.ts'
import { type Handlers, projection } from '../rows/projection.ts'
import { changed, made } from '../rows/thing.ts'

const shape = events.AuctionOpened.shape

const row = object({
  org: id('org'),
  id: id('auction'),
  status: oneOf('open', 'sold', 'unsold', 'cancelled'),
  format: shape.format,
  title: text(255),
  description: text(10_000).optional(),
  seller: text(128),
  listing: id('listing').optional(),
  currency,
  places: integer(0, 30).meta({ description: 'decimal places that the amounts are in' }),
  start: minorUnits,
  has_reserve: boolean.meta({
    description: 'whether it is not sold below an amount, which nobody but the seller knows',
  }),
  reserve_met: boolean.optional().meta({ description: 'English: whether the highest maximum reaches the reserve' }),
  buy_now: minorUnits.optional(),
  increments: shape.increments,
  extension: column(shape.extension.unwrap(), 'jsonb').optional(),
  falling: column(shape.falling.unwrap(), 'jsonb').optional(),
  bids: unsigned64,
  leader: text(128).optional().meta({ description: 'English: who has bid the highest maximum so far' }),
  price: minorUnits.optional().meta({ description: 'English: the price as bids have made it; all: what was paid' }),
  winner: text(128).optional(),
  why: events.AuctionEnded.shape.why.optional().meta({ description: 'why it ended so' }),
  starts_at: timestamp,
  ends_at: timestamp,
  ended_at: timestamp.optional(),
  revision: unsigned64,
  opened_at: timestamp,
  updated_at: timestamp,
})

const on: Handlers<z.output<typeof row>, typeof events> = {
  AuctionOpened: made(({ reserve, ...data }, at) => ({
    ...data,
    status: 'open',
    has_reserve: reserve !== undefined,
    bids: 0n,
    opened_at: at,
  })),
  BidPlaced: changed(({ leader, price, reserve_met }, { bids }) => ({ bids: bids + 1n, leader, price, reserve_met })),
  AuctionExtended: changed(({ ends_at }) => ({ ends_at })),
  AuctionEnded: changed(({ outcome, why, winner, price }, row, at) => ({
    status: outcome,
    why,
    winner,
    price: price ?? row.price,
    ended_at: at,
  })),
}

/** One row per auction. What bidders pay at most, and the reserve, are in no read model. */
export const auctions = projection({
  name: 'auctions',
  service: 'exchange',
  version: 1,
  history: true,
  of: { auction: events },
  row,
  key: ['org', 'id'],
  on,
  reads: [
    {
      one: 'auction',
      many: 'auctions',
      path: '/auctions',
      permission: 'auctions.read',
      names: ['id'],
      order: ['id'],
      filters: ['status', 'format', 'seller', 'listing', 'currency', 'price', 'winner', 'ends_at', 'opened_at'],
      groups: ['status', 'format', 'seller', 'winner', 'currency', 'places', 'why', 'ends_at', 'opened_at'],
      sums: ['price', 'bids'],
      units: { bids: null },
      places: { price: 'places' },
      summary: { list: 'The auctions of the organization.', get: 'An auction: its terms, how it stands, who has won.' },
    },
  ],
  memory: {
    kind: 'auction',
    on: { AuctionOpened: { anew: ({ title, description }) => ({ title, body: description }) } },
  },
})
