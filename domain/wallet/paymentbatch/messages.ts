/** The payment batch's storage and wire contract: add, never rename; change a shape with an upcaster. */
import {
  id,
  integer,
  list,
  minorUnits,
  object,
  oneOf,
  positiveMinorUnits,
  text,
  timestamp,
  uuid,
} from '../../kernel/schema.ts'
import { reason } from '../../record/reason.ts'
import { account, askedMovement, movement } from '../transfer/movement.ts'

/** Payments of one batch: all of them are one append, which the log bounds. */
const PAYMENTS_MAX = 200

const title = text(200)
/** Shorter than that of a transfer, for the same reason. */
const description = text(255)
const payment = integer(1, 10_000).meta({ description: 'number of the payment in the batch, from 1' })
const count = integer(0, 10_000)
const outcome = oneOf('completed', 'refused', 'timed_out', 'cancelled', 'declined')
const why = {
  code: text(64).meta({ description: 'code of the rule that refused it' }).optional(),
  reason: text(1000).optional(),
}
const { from, fromAccount, currency, places } = movement
const { to: _, to_account: __, amount: ___, description: ____, ...source } = askedMovement

/** Users who may approve it. */
const approvers = list(id('user'), 50)
/** The payments that waited when a second person decided. */
const decided = list(object({ payment, transfer: uuid }), PAYMENTS_MAX)

export const events = {
  PaymentBatchRequested: object({
    title: title.optional(),
    from,
    fromAccount,
    currency,
    places,
    payments: count,
    total: minorUnits,
    requestedBy: text(255),
  }),
  /** One payment of it: `transfer` is the id of the transfer that moves the money. */
  PaymentDue: object({
    payment,
    transfer: uuid,
    ...movement,
    dueAt: timestamp.optional(),
    total: minorUnits.meta({ description: 'what leaves the wallet with all payments of the batch' }).optional(),
  }),
  /** Its transfer waits for a second person. */
  PaymentWaiting: object({ payment, approvers }),
  /** All payments that have not ended wait for a second person. */
  PaymentBatchApprovalAsked: object({ approvers }),
  PaymentBatchApproved: object({ payments: decided, approvedBy: text(255), reason: reason.optional() }),
  PaymentBatchDeclined: object({ payments: decided, reason }),
  PaymentEnded: object({ payment, outcome, ...why }),
  PaymentBatchEnded: object({ completed: count, failed: count, moved: minorUnits }),
} as const

export const commands = {
  request: object({
    id: id('payment batch').optional(),
    title: title.optional(),
    ...source,
    due_at: timestamp
      .meta({ description: 'when its transfers begin: at once where it is left out or past' })
      .optional(),
    payments: list(
      object({
        to: id('wallet'),
        to_account: account,
        amount: positiveMinorUnits,
        description: description.optional(),
      }),
      PAYMENTS_MAX,
      1,
    ),
  }).meta({
    examples: [
      {
        id: 'salaries',
        title: 'Salaries of May',
        from: 'studio',
        from_account: 'checking',
        currency: 'EUR',
        payments: [
          { to: 'studio', to_account: 'savings', amount: '100', description: 'Reserve' },
          { to: 'studio', to_account: 'savings', amount: '50' },
        ],
      },
    ],
  }),
  approve: object({ reason: reason.optional() }).meta({ examples: [{ reason: 'As agreed' }] }),
  decline: object({ reason }).meta({ examples: [{ reason: 'Not agreed' }] }),
  recordWaiting: object({ payment, approvers }),
  recordEnd: object({ payment, outcome, ...why }),
} as const

export const rejections = [
  'payment_batch_already_requested',
  'payment_batch_places_unknown',
  'payment_batch_places_mismatch',
  'payment_batch_fee_too_large',
  'payment_batch_not_waiting',
  'payment_batch_of_oneself',
] as const
