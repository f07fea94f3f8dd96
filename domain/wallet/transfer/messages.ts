/** The transfer's storage and wire contract: add, never rename; change a shape with an upcaster. */
import { id, object, oneOf, text, timestamp } from '../../kernel/schema.ts'
import { askedMovement, movement } from './movement.ts'

const refusal = {
  step: oneOf('hold', 'credit').meta({ description: 'the step that was refused' }),
  code: text(64).meta({ description: 'code of the rule that refused it, or `abandoned`' }),
  reason: text(1000),
}

export const events = {
  TransferScheduled: object({ ...movement, dueAt: timestamp, expiresAt: timestamp.optional() }),
  TransferRequested: object({ ...movement, expiresAt: timestamp.optional() }),
  TransferHeld: object(movement),
  /** The amount was held after the transfer had ended. */
  TransferHeldInVain: object({ from: id('wallet') }),
  TransferCompleted: object({}),
  TransferRefused: object({ ...refusal, from: id('wallet') }),
  TransferTimedOut: object({}),
  TransferCancelled: object({}),
} as const

export const commands = {
  request: object({
    id: id('transfer').optional(),
    ...askedMovement,
    due_at: timestamp.meta({ description: 'when it begins: at once where it is left out or past' }).optional(),
    expires_at: timestamp
      .meta({ description: 'when it is given up if the amount could not be held by then' })
      .optional(),
  }).meta({
    examples: [
      {
        id: 'transfer-1',
        from: 'studio',
        from_account: 'checking',
        to: 'studio',
        to_account: 'savings',
        currency: 'EUR',
        amount: '100',
      },
    ],
  }),
  start: object({}),
  recordHold: object({}),
  refuse: object(refusal),
  complete: object({}),
  timeOut: object({}),
  cancel: object({}),
} as const

export const rejections = [
  'transfer_already_requested',
  'transfer_places_unknown',
  'transfer_places_mismatch',
  'transfer_expires_too_early',
  'transfer_under_way',
  'transfer_ended',
] as const
