import type { Activity } from '../../kernel/activity.ts'
import { said, THING } from '../../record/said.ts'
import type { events } from './messages.ts'

export const activity: Activity<typeof events> = {
  called: 'title',
  on: {
    AuctionOpened: said`opened the auction ${THING}`,
    BidPlaced: said`placed a bid in the auction ${THING}`,
    AuctionExtended: said`moved the end of the auction ${THING}`,
    AuctionEnded: ({ outcome }) => said`ended the auction ${THING}: it was ${outcome}`,
  },
}
