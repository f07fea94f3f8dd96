/** The mail's storage contract: add, never rename; change a shape with an upcaster. No client commands it. */
import { id, object, text, unsigned64 } from '../../kernel/schema.ts'
import { attemptFields, failureFields } from '../../record/attempts.ts'

const asked = {
  user: id('user'),
  /** The notification that it tells of; a digest tells of all that are unread up to a position. */
  notification: text(64).optional(),
  upTo: unsigned64,
}
const why = { why: text(64).meta({ description: '`nothing_new`, `no_address`, `too_old`, …' }) }

export const events = {
  MailRequested: object(asked),
  MailSent: object(attemptFields),
  MailFailed: object(failureFields),
  MailOmitted: object(why),
} as const

export const commands = {
  request: object({ id: id('mail').optional(), ...asked }),
  succeed: object(attemptFields),
  fail: object(failureFields),
  omit: object(why),
} as const

export const rejections = [] as const
