/** The auction's storage and wire contract: add, never rename; change a shape with an upcaster. */
import {
  boolean,
  currency,
  id,
  integer,
  list,
  object,
  oneOf,
  positiveMinorUnits,
  ref,
  text,
  timestamp,
  unsignedMinorUnits,
  uuid,
} from '../../kernel/schema.ts'
import { places } from '../../record/currencies.ts'

const DAY_S = 86_400

const step = object({
  from: unsignedMinorUnits.meta({ description: 'the price from which on this step counts' }),
  step: positiveMinorUnits,
})
const increments = list(step, 50, 1).meta({
  description: 'English: how far above the second highest maximum the price is; the first `from` is 0, and they rise',
})
const extension = object({ within_seconds: integer(1, DAY_S), by_seconds: integer(1, DAY_S) }).meta({
  description: 'a bid so shortly before the end moves the end to so long after the bid',
})
const falling = object({
  every_seconds: integer(1, 365 * DAY_S),
  by: positiveMinorUnits,
  floor: positiveMinorUnits.meta({ description: 'the price that it does not fall below' }),
}).meta({ description: 'Dutch: how the price falls from its start' })

const format = oneOf('english', 'dutch', 'first_price', 'second_price').meta({
  description:
    '`english`: open, bids are maxima that the house bids up to; `dutch`: the price falls until someone buys; ' +
    '`first_price`, `second_price`: sealed bids, of which the highest wins and pays itself or the second',
})
const terms = {
  format,
  title: text(255),
  description: text(10_000).optional(),
  currency,
  start: positiveMinorUnits.meta({ description: 'the lowest bid that is taken; Dutch: the first price' }),
  reserve: positiveMinorUnits.meta({ description: 'it is not sold below this, which bidders do not see' }).optional(),
  buy_now: positiveMinorUnits.meta({ description: 'English: what ends it at once, until the first bid' }).optional(),
  increments: increments.optional(),
  extension: extension.optional(),
  falling: falling.optional(),
}
const maximum = positiveMinorUnits.meta({ description: 'the most that the bidder pays' })
const outcome = oneOf('sold', 'unsold', 'cancelled')
const why = oneOf('highest_bid', 'bought', 'no_bid', 'reserve_not_met', 'cancelled')

export const events = {
  AuctionOpened: object({
    ...terms,
    seller: text(128),
    listing: id('listing').optional(),
    places,
    starts_at: timestamp,
    ends_at: timestamp,
  }),
  /** `leader`, `price` and `reserve_met` are how an open auction stands after the bid; sealed ones say none of them. */
  BidPlaced: object({
    bid: uuid,
    bidder: text(128),
    maximum,
    leader: text(128).optional(),
    price: positiveMinorUnits.optional(),
    reserve_met: boolean.optional(),
  }),
  AuctionExtended: object({ ends_at: timestamp }),
  AuctionEnded: object({ outcome, why, winner: text(128).optional(), price: positiveMinorUnits.optional() }),
} as const

export const commands = {
  open: object({
    id: id('auction').optional(),
    ...terms,
    listing: ref('listing').optional(),
    places: places.optional(),
    starts_at: timestamp.optional(),
    ends_at: timestamp,
  }).meta({
    examples: [
      {
        id: 'atlas-1',
        format: 'english',
        title: 'The first copy of the atlas',
        currency: 'EUR',
        start: '1000',
        reserve: '5000',
        increments: [
          { from: '0', step: '100' },
          { from: '10000', step: '500' },
        ],
        extension: { within_seconds: 300, by_seconds: 300 },
        ends_at: '2999-12-31T12:00:00.000Z',
      },
    ],
  }),
  bid: object({ maximum }).meta({ examples: [{ maximum: '2500' }] }),
  buy: object({
    at_most: positiveMinorUnits.meta({ description: 'what the caller pays at most: refused where it costs more' }),
  }).meta({ examples: [{ at_most: '9000' }] }),
  cancel: object({}),
  end: object({}),
} as const

export const rejections = [
  'auction_already_opened',
  'auction_terms_invalid',
  'auction_places_unknown',
  'auction_places_mismatch',
  'auction_not_begun',
  'auction_ended',
  'auction_of_another',
  'auction_has_bids',
  'auction_full',
  'bid_on_own_auction',
  'bid_too_low',
  'bid_not_raised',
  'bid_wrong_format',
  'auction_costs_more',
] as const
