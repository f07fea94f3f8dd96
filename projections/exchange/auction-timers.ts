import { events } from '../../domain/exchange/auction/messages.ts'
import type { Handlers } from '../rows/projection.ts'
import { clears, sets, type TimerRow, timerModel } from '../timers/timer-model.ts'

const ends = sets<{ readonly ends_at: string }>(({ ends_at: at }) => ({ at, command: 'end' }))

const on: Handlers<TimerRow, typeof events> = {
  AuctionOpened: ends,
  BidPlaced: null,
  AuctionExtended: ends,
  AuctionEnded: clears(),
}

/** When auctions end. */
export const auctionTimers = timerModel({
  name: 'auction_timers',
  service: 'exchange',
  version: 1,
  of: { auction: events },
  on,
})
