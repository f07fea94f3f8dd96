import { events } from '../../domain/exchange/order/messages.ts'
import type { Handlers } from '../rows/projection.ts'
import { clears, sets, type TimerRow, timerModel } from '../timers/timer-model.ts'

const on: Handlers<TimerRow, typeof events> = {
  OrderPlaced: null,
  OrderRefused: null,
  OrderHeld: null,
  OrderConfirmed: null,
  OrderDelivered: sets(({ accepted_at: at }) => ({ at, command: 'lapse', body: { accepted_at: at } })),
  OrderDisputed: clears(),
  OrderDue: clears(),
  OrderPaymentRefused: null,
  OrderEnded: null,
  OrderReviewed: sets(({ revealed_at: at }) => ({ at, command: 'reveal' })),
  OrderReviewsRevealed: clears(),
}

/** When deliveries count as accepted, and when reviews are revealed though only one side has written one. */
export const orderTimers = timerModel({
  name: 'order_timers',
  service: 'exchange',
  version: 1,
  of: { order: events },
  on,
})
