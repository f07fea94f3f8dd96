import { events } from '../../domain/wallet/transfer/messages.ts'
import type { Handlers } from '../rows/projection.ts'
import { clears, sets, type TimerRow, timerModel } from '../timers/timer-model.ts'

const on: Handlers<TimerRow, typeof events> = {
  TransferScheduled: sets(({ dueAt }) => ({ at: dueAt, command: 'start' })),
  TransferRequested: sets(({ expiresAt }) => (expiresAt ? { at: expiresAt, command: 'timeOut' } : undefined)),
  TransferApprovalAsked: sets(({ expiresAt }) => ({ at: expiresAt, command: 'timeOut' })),
  TransferApproved: null,
  TransferDeclined: clears(),
  TransferHeld: clears(),
  TransferHeldInVain: null,
  TransferCompleted: clears(),
  TransferRefused: clears(),
  TransferTimedOut: clears(),
  TransferCancelled: clears(),
}

/** When a transfer begins, and when it is given up. */
export const transferTimers = timerModel({
  name: 'transfer_timers',
  service: 'wallet',
  version: 2,
  of: { transfer: events },
  on,
})
