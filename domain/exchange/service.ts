import { service } from '../kernel/service.ts'
import { auction } from './auction/auction.ts'
import { capacity } from './capacity/capacity.ts'
import { listing } from './listing/listing.ts'
import { negotiation } from './negotiation/negotiation.ts'
import { order } from './order/order.ts'
import { resourceRequest } from './resourcerequest/resourcerequest.ts'
import { vendor } from './vendor/vendor.ts'

const ACT = [
  '*.read',
  'listings.write',
  'auctions.write',
  'bids.write',
  'negotiations.write',
  'vendors.write',
  'orders.write',
  'reviews.write',
  'resource-requests.write',
  'capacities.write',
  'allocations.write',
]

export const exchangeService = service({
  code: 'kex',
  word: 'exchange',
  title: 'Exchange: listings, auctions, orders and resources',
  aggregates: [vendor, listing, auction, negotiation, order, resourceRequest, capacity],
  roles: {
    'team-lead': ['*'],
    'team-member': ACT,
    contributor: ACT,
    viewer: ['*.read'],
    auditor: ['*.read'],
  },
})
