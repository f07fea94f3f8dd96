import type { AnyProjection } from '../rows/projection.ts'
import { allocations } from './allocations.ts'
import { auctionTimers } from './auction-timers.ts'
import { auctions } from './auctions.ts'
import { bids } from './bids.ts'
import { capacities } from './capacities.ts'
import { listings } from './listings.ts'
import { negotiationTimers } from './negotiation-timers.ts'
import { negotiations } from './negotiations.ts'

import { orderTimers } from './order-timers.ts'
import { orders } from './orders.ts'
import { ratings } from './ratings.ts'
import { resourceRequests } from './resource-requests.ts'
import { reviews } from './reviews.ts'
import { vendors } from './vendors.ts'

export const exchangeModels: readonly AnyProjection[] = [
  listings,
  auctions,
  bids,
  negotiations,
  auctionTimers,
  negotiationTimers,
  vendors,
  orders,
  reviews,
  ratings,
  orderTimers,
  resourceRequests,
  capacities,
  allocations,
]
