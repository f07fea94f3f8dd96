/** The transfer's storage and wire contract: add, never rename; change a shape with an upcaster. */
import { currency, id, integer, minorUnits, object, oneOf, ref, text, timestamp } from '../../kernel/schema.ts'

const account = text(255)
  .refine(name => !name.startsWith('external:'), 'must be an account of the wallet, not an external one')
  .meta({ description: 'account of the wallet' })
const description = text(1000)
const places = integer(0, 30).meta({
  description: 'decimal places of the amount: needed where the currency is not of ISO 4217',
})

const amount = minorUnits.refine(units => units >= 0n, 'must not be below zero')

/** What moves from where to where. */
const movement = {
  from: id('wallet'),
  fromAccount: account,
  to: id('wallet'),
  toAccount: account,
  currency,
  places,
  amount,
  description: description.optional(),
}
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
    from: ref('wallet'),
    from_account: account,
    to: ref('wallet'),
    to_account: account,
    currency,
    places: places.optional(),
    amount,
    description: description.optional(),
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
