/** The inbox's storage and wire contract: add, never rename; change a shape with an upcaster. */
import {
  boolean,
  id,
  integer,
  list,
  object,
  oneOf,
  personal,
  sealed,
  text,
  timestamp,
  unsigned64,
} from '../../kernel/schema.ts'
import { isAddress, WEEKDAYS } from './email.ts'
import { CHANNELS, KINDS } from './kinds.ts'

const notification = text(64).meta({ description: 'id of the notification' })
/** A position that a log can have: a larger one would be no bigint of PostgreSQL. */
const upTo = unsigned64
  .refine(at => at < 2n ** 63n, 'must be a position: a decimal number below 2^63')
  .meta({ description: 'the position up to which all are read: that of the list seen' })
const wanted = boolean.meta({ description: 'whether notifications of the kind come on the channel' })

const email = personal('user', text(254).refine(isAddress, 'must be an e-mail address such as mira@studio.example'))
/** The patterns of permissions that the user held: e-mails tell of what these allow to read. */
const grants = list(text(255), 5_000)
const digest = {
  every: oneOf('day', 'week').meta({ description: 'how often the digest comes' }),
  weekday: oneOf(...WEEKDAYS)
    .meta({ description: 'day of a weekly digest; Monday where it is left out' })
    .optional(),
  hour: integer(0, 23).meta({ description: 'hour of the zone at which it comes' }),
  zone: text(64).meta({ description: 'time zone of the user: Europe/Berlin' }),
}

export const events = {
  InboxOpened: object({}),
  NotificationRead: object({ notification }),
  NotificationsRead: object({ upTo }),
  NotificationPreferenceChanged: object({ kind: text(64), channel: text(64), wanted }),
  InboxEmailSet: object({ email: sealed, user: text(128), grants }),
  InboxEmailRemoved: object({}),
  InboxDigestSet: object({ ...digest, next: timestamp }),
  InboxDigestStopped: object({}),
  /** What came since the last digest is to be sent. */
  InboxDigestDue: object({ due: timestamp, next: timestamp }),
} as const

export const commands = {
  open: object({ id: id('user') }).meta({ examples: [{ id: 'mira' }] }),
  read: object({ notification }).meta({ examples: [{ notification: '00000000-0000-5000-8000-000000000000.0' }] }),
  readAll: object({ up_to: upTo }).meta({ examples: [{ up_to: '1485' }] }),
  prefer: object({ kind: oneOf(...KINDS), channel: oneOf(...CHANNELS), wanted }).meta({
    examples: [{ kind: 'mentioned', channel: 'in_app', wanted: false }],
  }),
  setEmail: object({ email }).meta({ examples: [{ email: 'mira@studio.example' }] }),
  removeEmail: object({}),
  setDigest: object(digest).meta({ examples: [{ every: 'day', hour: 8, zone: 'Europe/Berlin' }] }),
  stopDigest: object({}),
  sendDigest: object({ due: timestamp }),
} as const

export const rejections = ['inbox_of_another', 'inbox_zone_unknown'] as const
