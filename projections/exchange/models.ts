import type { AnyProjection } from '../rows/projection.ts'
import { auctionTimers } from './auction-timers.ts'
import { auctions } from './auctions.ts'
import { bids } from './bids.ts'
import { listings } from './listings.ts'
import { negotiationTimers } from './negotiation-timers.ts'
import { negotiations } from './negotiations.ts'

export const exchangeModels: readonly AnyProjection[] = [
  listings,
  auctions,
  bids,
  negotiations,
  auctionTimers,
  negotiationTimers,
]
