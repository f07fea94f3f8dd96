import { events } from '../../domain/audit/consent/messages.ts'
import type { Handlers } from '../rows/projection.ts'
import { clears, sets, type TimerRow, timerModel } from '../timers/timer-model.ts'

const on: Handlers<TimerRow, typeof events> = {
  ConsentGiven: sets(({ expiresAt }) =>
    expiresAt === undefined ? undefined : { at: expiresAt, command: 'expire', body: { expires_at: expiresAt } },
  ),
  ConsentWithdrawn: clears(),
  ConsentExpired: clears(),
}

/** When consents end by themselves. */
export const consentTimers = timerModel({
  name: 'consent_timers',
  service: 'audit',
  version: 1,
  of: { consent: events },
  on,
})
