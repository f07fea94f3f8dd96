import { events } from '../../domain/vault/secret/messages.ts'
import type { Handlers } from '../rows/projection.ts'
import { clears, sets, type TimerRow, timerModel } from '../timers/timer-model.ts'

/** Reminds at a time of the rotation of a version, or of nothing. */
const reminder = (version: number, at: string | undefined) =>
  at === undefined ? undefined : { at, command: 'remind', body: { version, due_at: at } }

const on: Handlers<TimerRow, typeof events> = {
  SecretCreated: sets(({ version, dueAt }) => reminder(version, dueAt)),
  SecretChanged: sets(({ version, dueAt }) => reminder(version, dueAt)),
  SecretRotated: sets(({ version, dueAt }) => reminder(version, dueAt)),
  SecretRotationDue: sets(({ version, nextAt }) => reminder(version, nextAt)),
  SecretLeased: null,
  SecretLeaseRenewed: null,
  SecretLeaseEnded: null,
  SecretVersionDestroyed: null,
  SecretRemoved: clears(),
}

/** When owners of secrets are reminded to rotate them: on the day, and every week until they have. */
export const secretTimers = timerModel({
  name: 'secret_timers',
  service: 'vault',
  version: 1,
  of: { secret: events },
  on,
})
