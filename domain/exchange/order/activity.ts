import type { Activity } from '../../kernel/activity.ts'
import { moneyText } from '../../record/currencies.ts'
import { said, THING } from '../../record/said.ts'
import type { events } from './messages.ts'

export const activity: Activity<typeof events> = {
  called: 'title',
  on: {
    OrderPlaced: ({ vendor, amount, currency, places }) =>
      said`ordered ${THING} of ${vendor} for ${moneyText(amount, currency, places)}`,
    OrderRefused: ({ code }) => said`noted that the order ${THING} could not be paid (${code})`,
    OrderHeld: said`held the amount of the order ${THING}`,
    OrderConfirmed: said`confirmed the order ${THING}`,
    OrderDelivered: said`delivered the order ${THING}`,
    OrderDisputed: said`disputed the order ${THING}`,
    OrderDue: ({ why }) => said`settled the order ${THING}: ${why}`,
    OrderPaymentRefused: ({ code }) => said`noted that the vendor of the order ${THING} could not be paid (${code})`,
    OrderEnded: ({ why }) => said`ended the order ${THING}: ${why}`,
    OrderReviewed: said`reviewed the order ${THING}`,
    OrderReviewsRevealed: said`revealed the reviews of the order ${THING}`,
  },
}
