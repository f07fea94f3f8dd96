/** The delivery's storage contract: add, never rename; change a shape with an upcaster. No client commands it. */
import { id, integer, object, text, timestamp, unsigned64, uuid } from '../../kernel/schema.ts'
import { attemptFields, failureFields } from '../../record/attempts.ts'

/** The event that is delivered, as it is announced, and to which webhook. */
const announcement = {
  webhook: id('webhook'),
  event: uuid,
  category: text(64),
  thing: id('thing'),
  type: text(255),
  revision: unsigned64,
  position: unsigned64,
  at: timestamp,
}
const status = integer(100, 999).meta({ description: 'HTTP status of the answer' })
const succeeded = { ...attemptFields, status }
const failed = { ...failureFields, status: status.optional() }

export const events = {
  DeliveryRequested: object(announcement),
  DeliverySucceeded: object(succeeded),
  DeliveryFailed: object(failed),
  DeliveryReplayed: object({}),
} as const

export const commands = {
  request: object({ id: id('delivery').optional(), ...announcement }),
  succeed: object(succeeded),
  fail: object(failed),
  replay: object({ webhook: id('webhook') }),
} as const

export const rejections = [] as const
