import { service } from '../kernel/service.ts'
import { auction } from './auction/auction.ts'
import { listing } from './listing/listing.ts'
import { negotiation } from './negotiation/negotiation.ts'

const ACT = ['*.read', 'listings.write', 'auctions.write', 'bids.write', 'negotiations.write']

export const exchangeService = service({
  code: 'kex',
  word: 'exchange',
  title: 'Exchange: listings, auctions and negotiations',
  aggregates: [listing, auction, negotiation],
  roles: {
    'team-lead': ['*'],
    'team-member': ACT,
    contributor: ACT,
    viewer: ['*.read'],
    auditor: ['*.read'],
  },
})
