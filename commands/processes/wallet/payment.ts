/** Requests the transfers of a payment batch, and tells it how each ended. */
import { because } from '../../../domain/record/reason.ts'
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
      const { payment, transfer: name, dueAt, total, ...movement } = data
      const batch = { id, payment, ...(total !== undefined && { total }) }
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
    PaymentWaiting: null,
    PaymentBatchApprovalAsked: null,
    PaymentBatchApproved: ({ data }) => decides(data, true),
    PaymentBatchDeclined: ({ data }) => decides(data, false),
    PaymentEnded: null,
    PaymentBatchEnded: null,
  },
})

type Decided = Pick<ReturnType<(typeof events)['PaymentBatchApproved']['parse']>, 'payments' | 'reason'>

const decides = ({ payments, reason }: Decided, isApproved: boolean): readonly Step[] =>
  payments.map(({ transfer: name }) => step(transfer, 'decideInBatch', name, { isApproved, ...because(reason) }))

/** Tells the batch of a payment that it waits for approval; nothing for a transfer that is none. */
export const paymentWaits = (batch: Batch, approvers: readonly string[]): readonly Step[] =>
  batch ? [step(paymentBatch, 'recordWaiting', batch.id, { payment: batch.payment, approvers: [...approvers] })] : []

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
