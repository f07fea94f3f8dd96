/** Holds the amount of an order, and pays it out, or lets it go, when the order is settled. */
import { events } from '../../../domain/exchange/order/messages.ts'
import { order } from '../../../domain/exchange/order/order.ts'
import { wallet } from '../../../domain/wallet/wallet/wallet.ts'
import { process, type Refusal, step } from '../process.ts'

export const orderProcess = process({
  name: 'order',
  of: { order: events },
  on: {
    OrderPlaced({ data, stream, metadata: { id } }) {
      const { wallet: from, account, currency, places, amount } = data
      const held = { hold: holdOf(stream), account, currency, places, amount, description: `order ${id}` }
      const refused = (refusal: Refusal) => step(order, 'refuse', id, reasonOf(refusal))
      return [step(wallet, 'hold', from, held, refused), step(order, 'recordHold', id, {})]
    },
    OrderRefused: null,
    OrderHeld: null,
    OrderConfirmed: null,
    OrderDelivered: null,
    OrderDisputed: null,
    OrderDue({ data, stream, metadata: { id } }) {
      const { wallet: from, to_wallet: to, to_account, currency, places, to_vendor: amount } = data
      const [hold, counterparty, description] = [holdOf(stream), `external:order:${id}`, `order ${id}`]
      const done = step(order, 'settle', id, {})
      if (amount === 0n || to === undefined || to_account === undefined) {
        return [step(wallet, 'release', from, { hold, reason: 'the order was not paid' }), done]
      }
      const credited = { account: to_account, currency, places, amount, counterparty, description }
      const refused = (refusal: Refusal) => step(order, 'refusePayment', id, reasonOf(refusal))
      return [
        step(wallet, 'credit', to, credited, refused),
        // What is held beyond that is let go.
        step(wallet, 'capture', from, { hold, amount, places, counterparty, description }),
        done,
      ]
    },
    OrderPaymentRefused: null,
    OrderEnded: null,
    OrderReviewed: null,
    OrderReviewsRevealed: null,
  },
})

const reasonOf = ({ code, message }: Refusal) => ({ code: code.slice(0, 64), reason: message.slice(0, 1000) })

/** Only processes make and end holds of such names. */
const holdOf = (stream: string): string => `process:${stream}`
