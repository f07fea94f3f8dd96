import { paymentProcess } from '../../../commands/processes/wallet/payment.ts'
import { processSpec } from '../../support/process-spec.ts'
import { CONTEXT } from '../../support/spec.ts'

const TRANSFER = '6f1d3c0a-5b8e-5f77-96c2-000000000001'
const movement = {
  from: 'studio',
  fromAccount: 'main',
  to: 'ben',
  toAccount: 'savings',
  currency: 'EUR',
  places: 2,
  amount: 300n,
}
const whole = {
  from: 'studio',
  fromAccount: 'main',
  currency: 'EUR',
  places: 2,
  payments: 1,
  total: 300n,
  requestedBy: 'mira',
}
const requested = { type: 'PaymentBatchRequested', data: whole }

describe('the process of payment batches', () => {
  const { given } = processSpec(paymentProcess)
  const asked = {
    from: 'studio',
    from_account: 'main',
    to: 'ben',
    to_account: 'savings',
    currency: 'EUR',
    places: 2,
    amount: 300n,
    batch: { id: CONTEXT.id, payment: 1 },
  }

  it('requests a transfer for each payment, and notes one that cannot be', () => {
    const due = { payment: 1, transfer: TRANSFER, ...movement }
    const when = given(requested).when({ type: 'PaymentDue', data: due })
    when.then(['transfer.pay', TRANSFER, asked])
    when
      .refused(0, { code: 'reference_unknown', message: 'There is no wallet ben.' })
      .then([
        'paymentbatch.recordEnd',
        CONTEXT.id,
        { payment: 1, outcome: 'refused', code: 'reference_unknown', reason: 'There is no wallet ben.' },
      ])
    const fee = { amount: 5n, payer: 'to', account: 'external:fees' }
    given(requested)
      .when({ type: 'PaymentDue', data: { ...due, fee, dueAt: CONTEXT.at } })
      .then([
        'transfer.pay',
        TRANSFER,
        { ...asked, fee: { fixed: 5n, payer: 'to', account: 'external:fees' }, due_at: CONTEXT.at },
      ])
  })

  it('takes what all payments take together along, and what a second person decided to those that waited', () => {
    const due = { type: 'PaymentDue', data: { payment: 1, transfer: TRANSFER, ...movement, total: 900n } }
    given(requested)
      .when(due)
      .then(['transfer.pay', TRANSFER, { ...asked, batch: { ...asked.batch, total: 900n } }])
    const waits = { type: 'PaymentWaiting', data: { payment: 1, approvers: ['ana'] } }
    const payments = [{ payment: 1, transfer: TRANSFER }]
    given(requested, due, waits)
      .when({ type: 'PaymentBatchApproved', data: { payments, approvedBy: 'ana' } })
      .then(['transfer.decideInBatch', TRANSFER, { isApproved: true }])
    given(requested, due, waits)
      .when({ type: 'PaymentBatchDeclined', data: { payments, reason: 'No' } })
      .then(['transfer.decideInBatch', TRANSFER, { isApproved: false, reason: 'No' }])
  })
})
