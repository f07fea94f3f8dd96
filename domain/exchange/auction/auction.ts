import { aggregate, type Decide, type EventOf, type Evolve } from '../../kernel/aggregate.ts'
import type { Context } from '../../kernel/context.ts'
import { invariant, rejected } from '../../kernel/errors.ts'
import { placesFor } from '../../record/currencies.ts'
import { type Keyed, memberOf, membersOf, noneKeyed, withMember } from '../../record/keyed.ts'
import { laterBy, secondsOf } from '../../time/civil.ts'
import { activity } from './activity.ts'
import { commands, events, rejections } from './messages.ts'
import { fallenPrice, proxyPrice, type Standing, sealedPrice, withMaximum } from './price.ts'
import { fault } from './terms.ts'

/** Bidders of a sealed auction: the maximum of each is in its state until it ends. */
const BIDDERS_MAX = 50_000

type Terms = Extract<EventOf<typeof events>, { readonly type: 'AuctionOpened' }>['data']
type Sealed = { readonly bidder: string; readonly maximum: bigint; readonly nth: number }
type Open = {
  readonly status: 'open'
  readonly terms: Omit<Terms, 'title' | 'description' | 'listing'>
  readonly bids: number
  /** How many have bid in a sealed auction. */
  readonly bidders: number
  /** How an English auction stands: no state grows with its bids. */
  readonly standing?: Standing
  /** The maxima of sealed bids by their bidders. */
  readonly sealed: Keyed<Sealed>
}
/** An auction is open until its end, which late bids can move, or until it is bought or cancelled. */
export type Auction = { readonly status: 'none' } | Open | { readonly status: 'ended'; readonly sold?: Sold }
/** Who bought what of whom: an order of it says the same. */
type Sold = Pick<Terms, 'currency' | 'places'> & {
  readonly buyer: string
  readonly vendor: string
  readonly amount: bigint
}

const evolve: Evolve<Auction, typeof events> = {
  AuctionOpened: (_, { title: __, description: ___, listing: ____, ...terms }) => ({
    status: 'open',
    terms,
    bids: 0,
    bidders: 0,
    sealed: noneKeyed,
  }),
  BidPlaced(auction, { bidder, maximum }) {
    const before = mustHaveBegun(auction)
    const bids = before.bids + 1
    if (before.terms.format === 'english') {
      return { ...before, bids, standing: withMaximum(before.standing, bidder, maximum) }
    }
    const bidders = memberOf(before.sealed, bidder) ? before.bidders : before.bidders + 1
    return { ...before, bids, bidders, sealed: withMember(before.sealed, bidder, { bidder, maximum, nth: bids }) }
  },
  AuctionExtended(auction, { ends_at }) {
    const before = mustHaveBegun(auction)
    return { ...before, terms: { ...before.terms, ends_at } }
  },
  AuctionEnded(auction, { outcome, winner: buyer, price: amount }) {
    if (outcome !== 'sold' || buyer === undefined || amount === undefined) return { status: 'ended' }
    const { seller: vendor, currency, places } = mustHaveBegun(auction).terms
    return { status: 'ended', sold: { buyer, vendor, amount, currency, places } }
  },
}

const PLACES = { unknown: 'auction_places_unknown', mismatch: 'auction_places_mismatch' }

const decide: Decide<Auction, typeof commands, typeof events> = {
  open(auction, { id: _, places, starts_at, ...asked }, { actor, at }) {
    if (auction.status !== 'none') throw rejected('auction_already_opened', 'The auction exists; choose another id.')
    const terms = { ...asked, seller: actor, starts_at: starts_at ?? at }
    const why = fault(terms, at)
    if (why !== undefined) throw rejected('auction_terms_invalid', why)
    return [{ type: 'AuctionOpened', data: { ...terms, places: placesFor(asked.currency, places, PLACES) } }]
  },
  bid(auction, { maximum }, context) {
    const open = mustTake(auction, context)
    const { terms, standing, sealed } = open
    if (terms.format === 'dutch') {
      throw rejected('bid_wrong_format', 'The price falls until the auction is bought: buy instead of bidding.')
    }
    const { actor: bidder, newId } = context
    const least = standing ? proxyPrice(standing, terms) : terms.start
    if (maximum < least) throw rejected('bid_too_low', 'Bid at least the price.', { at_least: least })
    const own = standing?.leader === bidder ? standing.highest : memberOf(sealed, bidder)?.maximum
    if (own !== undefined && maximum <= own) {
      throw rejected('bid_not_raised', 'You have bid as much already: raise your maximum, or leave it.', { own })
    }
    const placed = { bid: newId(0), bidder, maximum }
    if (terms.format === 'english') return english(open, placed, context.at)
    if (own === undefined && open.bidders >= BIDDERS_MAX) {
      throw rejected('auction_full', 'The auction has as many bidders as it can.')
    }
    return [{ type: 'BidPlaced', data: placed }]
  },
  buy(auction, { at_most: most }, context) {
    const { terms, bids } = mustTake(auction, context)
    const price = terms.format === 'dutch' ? fallen(terms, context.at) : terms.buy_now
    if (price === undefined || bids > 0) {
      throw rejected('bid_wrong_format', 'The auction cannot be bought, or no longer: bid instead.')
    }
    if (price > most) throw rejected('auction_costs_more', 'It costs more than you would pay.', { price })
    return [{ type: 'AuctionEnded', data: { outcome: 'sold', why: 'bought', winner: context.actor, price } }]
  },
  cancel(auction, _, { actor }) {
    const { terms, bids } = mustBeOpen(auction)
    if (terms.seller !== actor) throw rejected('auction_of_another', 'Only who opened the auction may cancel it.')
    if (bids > 0) throw rejected('auction_has_bids', 'There are bids: the auction goes on to its end.')
    return [{ type: 'AuctionEnded', data: { outcome: 'cancelled', why: 'cancelled' } }]
  },
  end(auction, _, { at }) {
    if (auction.status !== 'open' || at < auction.terms.ends_at) return []
    return [{ type: 'AuctionEnded', data: result(auction) }]
  },
}

/** Something that is sold to who bids most: open with proxy bids, sealed, or at a price that falls. */
export const auction = aggregate({
  name: 'auction',
  events,
  commands,
  api: {
    open: ['POST /auctions', 'auctions.write', 'Open an auction; its terms stay as they are.'],
    bid: ['POST /auctions/:id/bids', 'bids.write', 'Bid: the most that the caller pays.', '/auctions/:id/bids/:bid'],
    buy: ['POST /auctions/:id/buy', 'bids.write', 'Buy at the price of now, which ends the auction.'],
    cancel: ['POST /auctions/:id/cancel', 'auctions.write', 'Cancel an auction of the caller, until the first bid.'],
    end: 'internal',
  },
  rejections,
  initial: { status: 'none' } as Auction,
  evolve,
  decide,
  // A bid that is tried would tell whether it reaches the highest maximum, and the reserve.
  untried: ['bid'],
  stateSchema: 2,
  activity,
})

/** The bid of an open auction, how it stands then, and its new end where that is near. */
function english({ terms, standing }: Open, placed: Placed, at: string): readonly EventOf<typeof events>[] {
  const after = withMaximum(standing, placed.bidder, placed.maximum)
  const { leader, highest } = after
  const stands = { leader, price: proxyPrice(after, terms), reserve_met: highest >= (terms.reserve ?? 0n) }
  const bid = { type: 'BidPlaced', data: { ...placed, ...stands } } as const
  const { extension, ends_at } = terms
  if (!extension || laterBy(extension.within_seconds, at) < ends_at) return [bid]
  const end = laterBy(extension.by_seconds, at)
  return end > ends_at ? [bid, { type: 'AuctionExtended', data: { ends_at: end } }] : [bid]
}
type Placed = { readonly bid: string; readonly bidder: string; readonly maximum: bigint }

/** Who has won at the end, and what that costs. */
function result({ terms, standing, sealed }: Open) {
  const { format } = terms
  const earliestFirst = membersOf(sealed).toSorted((one, other) => one.nth - other.nth)
  const final = earliestFirst.reduce<Standing | undefined>(
    (before, { bidder, maximum }) => withMaximum(before, bidder, maximum),
    standing,
  )
  if (!final) return { outcome: 'unsold', why: 'no_bid' } as const
  if (final.highest < (terms.reserve ?? 0n)) return { outcome: 'unsold', why: 'reserve_not_met' } as const
  const isSealed = format === 'first_price' || format === 'second_price'
  const price = isSealed ? sealedPrice(final, terms, format) : proxyPrice(final, terms)
  return { outcome: 'sold', why: 'highest_bid', winner: final.leader, price } as const
}

function fallen({ start, falling, starts_at: from }: Open['terms'], at: string): bigint {
  invariant(falling, 'a Dutch auction whose price does not fall')
  return fallenPrice(start, falling, secondsOf(at.slice(0, 19))! - secondsOf(from.slice(0, 19))!)
}

/** The auction, where it takes a bid of the caller now. */
function mustTake(auction: Auction, { actor, at }: Context): Open {
  const open = mustBeOpen(auction)
  const { seller, starts_at: startsAt, ends_at: endsAt } = open.terms
  if (at >= endsAt) throw rejected('auction_ended', 'The auction has ended.')
  if (at < startsAt) throw rejected('auction_not_begun', 'The auction has not begun.', { starts_at: startsAt })
  if (seller === actor) throw rejected('bid_on_own_auction', 'Nobody bids in an auction of their own.')
  return open
}

function mustBeOpen(auction: Auction): Open {
  if (auction.status === 'ended') throw rejected('auction_ended', 'The auction has ended.')
  return mustHaveBegun(auction)
}

function mustHaveBegun(auction: Auction): Open {
  invariant(auction.status === 'open', `an event or command of an auction that is ${auction.status}`)
  return auction
}
