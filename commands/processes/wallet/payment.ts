/** Requests the transfers of a payment batch, and tells it how each ended. */
import { events } from '../../../domain/wallet/paymentbatch/messages.ts'
import { paymentBatch } from '../../../domain/wallet/paymentbatch/paymentbatch.ts'
import { askedOf } from '../../../domain/wallet/transfer/movement.ts'
import { transfer } from '../../../domain/wallet/transfer/transfer.ts'
import { process, type Step, step } from '../process.ts'

/** The payment of a batch that a transfer is, where it is one. */
type Batch = { readonly id: string; readonly payment: number } | undefined
type Outcome = ReturnType<(typeof events)['PaymentEnded']['parse']>['outcome']

export const paymentProcess = process({
  name: 'payment',
  of: { paymentbatch: events },
  on: {
    PaymentBatchRequested: null,
    PaymentDue({ data, metadata: { id } }) {
      const { payment, transfer: name, dueAt, ...movement } = data
      const batch = { id, payment }
      const asked = { ...askedOf(movement), ...(dueAt !== undefined && { due_at: dueAt }), batch }
      return [
        step(transfer, 'pay', name, asked, ({ code, message }) =>
          step(paymentBatch, 'recordEnd', id, {
            payment,
            outcome: 'refused',
            code: code.slice(0, 64),
            reason: message.slice(0, 1000),
          }),
        ),
      ]
    },
    PaymentEnded: null,
    PaymentBatchEnded: null,
  },
})

/** Tells the batch of a payment how that ended; nothing for a transfer that is none. */
export const paymentEnded = (batch: Batch, outcome: Outcome, code?: string): readonly Step[] =>
  batch
    ? [
        step(paymentBatch, 'recordEnd', batch.id, {
          payment: batch.payment,
          outcome,
          ...(code !== undefined && { code }),
        }),
      ]
    : []
