/** The delivery's storage contract: add, never rename; change a shape with an upcaster. No client commands it. */
import { id, integer, object, text, timestamp, unsigned64, uuid } from '../../kernel/schema.ts'

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
const latencyMs = integer(0, 3_600_000).meta({ description: 'milliseconds until the answer, or until it was given up' })
const attempt = integer(1, 1_000_000)
const status = integer(100, 999).meta({ description: 'HTTP status of the answer' })
const failed = {
  attempt,
  status: status.optional(),
  failure: text(64).meta({ description: 'what went wrong: `status`, `timeout`, `connection_failed`, …' }),
  latencyMs,
  /** When it is tried again; left out, it is parked. */
  dueAt: timestamp.optional(),
}

export const events = {
  DeliveryRequested: object(announcement),
  DeliverySucceeded: object({ attempt, status, latencyMs }),
  DeliveryFailed: object(failed),
  DeliveryReplayed: object({}),
} as const

export const commands = {
  request: object({ id: id('delivery').optional(), ...announcement }),
  succeed: object({ attempt, status, latencyMs }),
  fail: object(failed),
  replay: object({ webhook: id('webhook') }),
} as const

export const rejections = [] as const
