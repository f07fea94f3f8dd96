import { events } from '../../domain/wallet/wallet/messages.ts'
import type { Handlers } from '../rows/projection.ts'
import { clears, sets, type TimerRow, timerModel } from '../timers/timer-model.ts'

type OfHold = { readonly hold: string }
const slot = ({ hold }: OfHold) => hold

const on: Handlers<TimerRow, typeof events> = {
  WalletOpened: null,
  AccountOpened: null,
  AccountOverdraftChanged: null,
  AccountChanged: null,
  AccountFrozen: null,
  AccountUnfrozen: null,
  AccountClosed: null,
  AccountReopened: null,
  EntryPosted: null,
  FundsHeld: sets(
    ({ hold, expiresAt }: OfHold & { readonly expiresAt?: string | undefined }) =>
      expiresAt ? { at: expiresAt, command: 'release', body: { hold, reason: 'expired' } } : undefined,
    slot,
  ),
  HoldCaptured: clears(slot),
  HoldReleased: clears(slot),
  WalletChanged: null,
  ChartSet: null,
  TransferRulesSet: null,
  AccessGranted: null,
  AccessRevoked: null,
  WalletFrozen: null,
  WalletUnfrozen: null,
  WalletClosed: null,
}

/** When holds are released by themselves. */
export const holdTimers = timerModel({ name: 'hold_timers', service: 'wallet', version: 2, of: { wallet: events }, on })
