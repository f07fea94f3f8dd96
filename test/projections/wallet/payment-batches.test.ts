import { paymentBatches } from '../../../projections/wallet/payment-batches.ts'
import { payments } from '../../../projections/wallet/payments.ts'
import { rowsFor } from '../../support/rows-spec.ts'
import { CONTEXT } from '../../support/spec.ts'

const uuid = (n: number) => `6f1d3c0a-5b8e-5f77-96c2-${String(n).padStart(12, '0')}`
const moved = { from: 'studio', fromAccount: 'main', currency: 'EUR', places: 2 }
const due = (payment: number) => ({
  type: 'PaymentDue',
  data: { ...moved, payment, transfer: uuid(payment), to: 'ben', toAccount: 'main', amount: 50n },
})
const requested = { type: 'PaymentBatchRequested', data: { ...moved, payments: 2, total: 100n, requestedBy: 'jon' } }
const ended = (payment: number, outcome: string, more: object = {}) => ({
  type: 'PaymentEnded',
  data: { payment, outcome, ...more },
})
const batchEnded = (completed: number, failed: number) => ({
  type: 'PaymentBatchEnded',
  data: { completed, failed, moved: BigInt(completed) * 50n },
})

const waits = (payment: number) => ({ type: 'PaymentWaiting', data: { payment, approvers: ['ana'] } })
const approvalAsked = { type: 'PaymentBatchApprovalAsked', data: { approvers: ['ana'] } }
const [approved, declined] = ['PaymentBatchApproved', 'PaymentBatchDeclined'].map(type => ({
  type,
  data: {
    payments: [{ payment: 2, transfer: uuid(2) }],
    ...(type === 'PaymentBatchApproved' ? { approvedBy: 'ana' } : { reason: 'No' }),
  },
})) as [{ type: string; data: object }, { type: string; data: object }]

describe('rows: payment batches', () => {
  const { given } = rowsFor(paymentBatches)
  const two = [requested, due(1), due(2)]

  it('show how many payments ended how', async () => {
    await given(...two, ended(1, 'completed')).then({ id: CONTEXT.id, status: 'running', completed: 1, failed: 0 })
    const ends = (first: string, second: string, done: number) =>
      given(...two, ended(1, first), ended(2, second), batchEnded(done, 2 - done))
    await ends('completed', 'completed', 2).then({ status: 'completed', moved: 100n, ended_at: CONTEXT.at })
    await ends('completed', 'refused', 1).then({ status: 'partly_completed', failed: 1, moved: 50n })
    await ends('cancelled', 'declined', 0).then({ status: 'failed', failed: 2, moved: 0n })
  })

  it('show whether they wait for approval', async () => {
    const asking = [...two, waits(1), waits(2), approvalAsked]
    await given(...two, waits(1)).then({ status: 'running' })
    await given(...asking).then({ status: 'waiting' })
    for (const decided of [approved, declined]) await given(...asking, decided).then({ status: 'running' })
  })
})

describe('rows: payments', () => {
  const { given } = rowsFor(payments)

  it('show each payment of a batch, and why it was refused', () =>
    given(requested, due(1), due(2), ended(1, 'refused', { code: 'wallet_closed', reason: 'closed' })).then(
      { batch: CONTEXT.id, payment: 1n, status: 'refused', refusal: 'wallet_closed', ended_at: CONTEXT.at },
      { payment: 2n, status: 'under_way', transfer: uuid(2), to: 'ben', amount: 50n },
    ))

  it('show which of them wait for approval', async () => {
    const asking = [requested, due(1), due(2), waits(1), waits(2), approvalAsked]
    await given(...asking).then({ payment: 1n, status: 'waiting' }, { payment: 2n, status: 'waiting' })
    for (const decided of [approved, declined]) {
      await given(...asking, decided).then({ payment: 1n, status: 'waiting' }, { payment: 2n, status: 'under_way' })
    }
  })
})
