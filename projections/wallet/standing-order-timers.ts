import { events } from '../../domain/wallet/standingorder/messages.ts'
import type { Handlers } from '../rows/projection.ts'
import { clears, sets, type TimerRow, timerModel } from '../timers/timer-model.ts'

const fires = (due: { readonly at: string; readonly number: number } | undefined) =>
  due && { at: due.at, command: 'fire', body: { due } }

const on: Handlers<TimerRow, typeof events> = {
  StandingOrderOpened: sets(({ next }) => fires(next)),
  StandingOrderFired: sets(({ next }) => fires(next)),
  StandingOrderRefused: null,
  StandingOrderCancelled: clears(),
}

/** When standing orders are due. */
export const standingOrderTimers = timerModel({
  name: 'standing_order_timers',
  service: 'wallet',
  version: 2,
  of: { standingorder: events },
  on,
})
