/** The standing order's storage and wire contract: add, never rename; change a shape with an upcaster. */
import { id, integer, object, text, timestamp, uuid } from '../../kernel/schema.ts'
import { secondsOf } from '../../time/civil.ts'
import { askedMovement, movement } from '../transfer/movement.ts'

const recurrence = {
  rule: text(500).meta({ description: 'recurrence rule as in RFC 5545: FREQ=MONTHLY;BYMONTHDAY=1' }),
  starts: text(19)
    .refine(value => secondsOf(value) !== undefined, 'must be a local time such as 2026-01-31T09:00:00')
    .meta({ description: 'local time at which the rule starts: 2026-01-31T09:00:00' }),
  zone: text(64).meta({ description: 'time zone that the rule is in: Europe/Berlin' }),
}
const number = integer(1, 2 ** 31 - 1).meta({ description: 'which time of the rule it is, from 1' })
const due = object({ at: timestamp, number })

export const events = {
  StandingOrderOpened: object({ ...movement, ...recurrence, next: due }),
  /** It was due: `transfer` is the id of the transfer that moves the money. */
  StandingOrderFired: object({ ...movement, due, transfer: uuid, next: due.optional() }),
  StandingOrderRefused: object({ transfer: uuid, code: text(64), reason: text(1000) }),
  StandingOrderCancelled: object({}),
} as const

export const commands = {
  open: object({ id: id('standing order').optional(), ...askedMovement, ...recurrence }).meta({
    examples: [
      {
        id: 'rent',
        from: 'studio',
        from_account: 'checking',
        to: 'studio',
        to_account: 'savings',
        currency: 'EUR',
        amount: '85000',
        rule: 'FREQ=MONTHLY;BYMONTHDAY=1',
        starts: '2027-01-01T09:00:00',
        zone: 'Europe/Berlin',
      },
    ],
  }),
  fire: object({ due }),
  recordRefusal: object({ transfer: uuid, code: text(64), reason: text(1000) }),
  cancel: object({}),
} as const

export const rejections = [
  'standing_order_already_open',
  'standing_order_rule_invalid',
  'standing_order_zone_unknown',
  'standing_order_never_due',
  'standing_order_places_unknown',
  'standing_order_places_mismatch',
  'standing_order_ended',
  'standing_order_fee_too_large',
] as const
