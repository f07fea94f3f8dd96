import { events } from '../../domain/exchange/negotiation/messages.ts'
import type { Handlers } from '../rows/projection.ts'
import { clears, sets, type TimerRow, timerModel } from '../timers/timer-model.ts'

const expires = sets<{ readonly expires_at?: string | undefined }>(({ expires_at: at }) =>
  at === undefined ? undefined : { at, command: 'expire', body: { expires_at: at } },
)

const on: Handlers<TimerRow, typeof events> = {
  NegotiationOpened: expires,
  OfferCountered: expires,
  OfferAccepted: clears(),
  OfferDeclined: clears(),
  OfferWithdrawn: clears(),
  OfferExpired: clears(),
}

/** When offers expire. */
export const negotiationTimers = timerModel({
  name: 'negotiation_timers',
  service: 'exchange',
  version: 1,
  of: { negotiation: events },
  on,
})
