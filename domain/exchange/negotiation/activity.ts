import type { Activity } from '../../kernel/activity.ts'
import { said, THING } from '../../record/said.ts'
import type { events } from './messages.ts'

export const activity: Activity<typeof events> = {
  on: {
    NegotiationOpened: said`opened the negotiation ${THING}`,
    OfferCountered: said`made another offer in the negotiation ${THING}`,
    OfferAccepted: said`accepted the offer in the negotiation ${THING}`,
    OfferDeclined: said`declined the offer in the negotiation ${THING}`,
    OfferWithdrawn: said`withdrew the offer in the negotiation ${THING}`,
    OfferExpired: said`ended the negotiation ${THING}: its offer had expired`,
  },
}
