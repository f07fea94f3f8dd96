/** The inbox's storage and wire contract: add, never rename; change a shape with an upcaster. */
import { boolean, id, object, oneOf, text, unsigned64 } from '../../kernel/schema.ts'
import { CHANNELS, KINDS } from './kinds.ts'

const notification = text(64).meta({ description: 'id of the notification' })
/** A position that a log can have: a larger one would be no bigint of PostgreSQL. */
const upTo = unsigned64
  .refine(at => at < 2n ** 63n, 'must be a position: a decimal number below 2^63')
  .meta({ description: 'the position up to which all are read: that of the list seen' })
const wanted = boolean.meta({ description: 'whether notifications of the kind come on the channel' })

export const events = {
  InboxOpened: object({}),
  NotificationRead: object({ notification }),
  NotificationsRead: object({ upTo }),
  NotificationPreferenceChanged: object({ kind: text(64), channel: text(64), wanted }),
} as const

export const commands = {
  open: object({ id: id('user') }).meta({ examples: [{ id: 'mira' }] }),
  read: object({ notification }).meta({ examples: [{ notification: '00000000-0000-5000-8000-000000000000.0' }] }),
  readAll: object({ up_to: upTo }).meta({ examples: [{ up_to: '1485' }] }),
  prefer: object({ kind: oneOf(...KINDS), channel: oneOf(...CHANNELS), wanted }).meta({
    examples: [{ kind: 'mentioned', channel: 'in_app', wanted: false }],
  }),
} as const

export const rejections = ['inbox_of_another'] as const
