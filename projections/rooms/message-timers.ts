import { events } from '../../domain/rooms/message/messages.ts'
import type { Handlers } from '../rows/projection.ts'
import { clears, sets, type TimerRow, timerModel } from '../timers/timer-model.ts'

const on: Handlers<TimerRow, typeof events> = {
  MessageSent: sets(({ expires_at: at }) => (at === undefined ? undefined : { at, command: 'expire' })),
  MessageEdited: null,
  MessageDeleted: clears(),
  ReactionAdded: null,
  ReactionRemoved: null,
}

/** When messages end by the retention of their rooms. */
export const messageTimers = timerModel({
  name: 'message_timers',
  service: 'rooms',
  version: 1,
  of: { message: events },
  on,
})
