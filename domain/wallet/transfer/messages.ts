/** The transfer's storage and wire contract: add, never rename; change a shape with an upcaster. */
import { boolean, id, integer, list, minorUnits, object, oneOf, text, timestamp } from '../../kernel/schema.ts'
import { reason } from '../../record/reason.ts'
import { askedMovement, movement } from './movement.ts'

const refusal = {
  step: oneOf('hold', 'credit').meta({ description: 'the step that was refused' }),
  code: text(64).meta({ description: 'code of the rule that refused it, or `abandoned`' }),
  reason: text(1000),
}
const payment = { id: id('payment batch'), payment: integer(1, 10_000) }
/** The payment of a batch that it is, by its number there, and what leaves the wallet with all of them. */
const batch = object({ ...payment, total: minorUnits.optional() }).optional()
/** Users who may approve it. */
const approvers = list(id('user'), 50)

const moved = {
  ...movement,
  /** The kind of its entries; those of transfers from before there was one are credits and debits. */
  kind: oneOf('transfer').optional(),
  requestedBy: text(255).meta({ description: 'who asked for it, or for what it comes from' }).optional(),
  batch,
}
const ended = { batch: object(payment).optional() }

export const events = {
  TransferScheduled: object({ ...moved, dueAt: timestamp, expiresAt: timestamp.optional() }),
  TransferRequested: object({ ...moved, expiresAt: timestamp.optional() }),
  /** The wallet that it leaves wants a second person to approve it. */
  TransferApprovalAsked: object({ approvers, expiresAt: timestamp, requestedBy: moved.requestedBy, ...ended }),
  TransferApproved: object({ ...moved, approvedBy: text(255), reason: reason.optional() }),
  TransferDeclined: object({ ...ended, reason }),
  TransferHeld: object(moved),
  /** The amount was held after the transfer had ended. */
  TransferHeldInVain: object({ from: id('wallet') }),
  TransferCompleted: object(ended),
  TransferRefused: object({ ...refusal, from: id('wallet'), ...ended }),
  TransferTimedOut: object(ended),
  TransferCancelled: object(ended),
} as const

const asked = {
  ...askedMovement,
  due_at: timestamp.meta({ description: 'when it begins: at once where it is left out or past' }).optional(),
  expires_at: timestamp.meta({ description: 'when it is given up if the amount could not be held by then' }).optional(),
}

export const commands = {
  request: object({ id: id('transfer').optional(), ...asked }).meta({
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
  /** A payment of a batch. */
  pay: object({ id: id('transfer').optional(), ...asked, batch: batch.unwrap() }),
  start: object({}),
  askApproval: object({ approvers }),
  approve: object({ reason: reason.optional() }).meta({ examples: [{ reason: 'As agreed' }] }),
  decline: object({ reason }).meta({ examples: [{ reason: 'Not agreed' }] }),
  /** What a second person decided on the batch that it is a payment of. */
  decideInBatch: object({ isApproved: boolean, reason: reason.optional() }),
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
  'transfer_fee_too_large',
  'transfer_not_waiting',
  'transfer_of_oneself',
] as const
