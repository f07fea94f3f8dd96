import { paymentBatch } from '../../../domain/wallet/paymentbatch/paymentbatch.ts'
import { CONTEXT, specFor } from '../../support/spec.ts'

const uuid = (n: number) => `6f1d3c0a-5b8e-5f77-96c2-${String(n).padStart(12, '0')}`
const source = { from: 'studio', currency: 'EUR' }
const payments = [
  { to: 'ben', to_account: 'main', amount: 300n, description: 'May' },
  { to: 'ana', to_account: 'main', amount: 200n },
]
const asked = { ...source, from_account: 'main', payments }
const moved = { ...source, fromAccount: 'main', places: 2 }
const requested = {
  type: 'PaymentBatchRequested',
  data: { ...moved, payments: 2, total: 500n, requestedBy: CONTEXT.actor },
} as const
const due = (payment: number, to: string, amount: bigint, more: object = {}) =>
  ({
    type: 'PaymentDue',
    data: { ...moved, payment, transfer: uuid(payment - 1), to, toAccount: 'main', amount, total: 500n, ...more },
  }) as const
const two = [requested, due(1, 'ben', 300n, { description: 'May' }), due(2, 'ana', 200n)] as const
const ended = (payment: number, outcome: 'completed' | 'refused', more: object = {}) =>
  ({ type: 'PaymentEnded', data: { payment, outcome, ...more } }) as const
const batchEnded = (completed: number, failed: number, total: bigint) =>
  ({ type: 'PaymentBatchEnded', data: { completed, failed, moved: total } }) as const

describe('payment batch', () => {
  const { given } = specFor(paymentBatch)
  const made = { newId: uuid }

  it('asks for all its payments at once, each a transfer of its own', () => {
    given()
      .when('request', asked, made)
      .then(...two)
    given()
      .when('request', { ...asked, title: 'Salaries', due_at: CONTEXT.at, payments: payments.slice(1) }, made)
      .then(
        { ...requested, data: { ...requested.data, title: 'Salaries', payments: 1, total: 200n } },
        due(1, 'ana', 200n, { dueAt: CONTEXT.at, total: 200n }),
      )
    given(...two)
      .when('request', asked, made)
      .rejects('payment_batch_already_requested')
  })

  it('has the fee of each payment, and its decimal places', () => {
    const fee = { payer: 'to' as const, account: 'external:fees' }
    given()
      .when('request', { ...asked, payments: payments.slice(1), fee: { ...fee, share: '0.01' } }, made)
      .then(
        { ...requested, data: { ...requested.data, payments: 1, total: 200n } },
        due(1, 'ana', 200n, { fee: { ...fee, amount: 2n }, total: 200n }),
      )
    given()
      .when('request', { ...asked, fee: { ...fee, fixed: 201n } }, made)
      .rejects('payment_batch_fee_too_large')
    given()
      .when('request', { ...asked, currency: 'BEANS' }, made)
      .rejects('payment_batch_places_unknown')
    given()
      .when('request', { ...asked, places: 3 }, made)
      .rejects('payment_batch_places_mismatch')
  })

  it('ends when each of its payments has, once', () => {
    given(...two)
      .when('recordEnd', { payment: 2, outcome: 'completed' })
      .then(ended(2, 'completed'))
    const refusal = { code: 'wallet_closed', reason: 'It is closed.' }
    given(...two, ended(2, 'completed'))
      .when('recordEnd', { payment: 1, outcome: 'refused', ...refusal })
      .then(ended(1, 'refused', refusal), batchEnded(1, 1, 200n))
    for (const after of [[ended(2, 'completed')], [ended(1, 'refused'), ended(2, 'refused'), batchEnded(0, 2, 0n)]]) {
      given(...two, ...after)
        .when('recordEnd', { payment: 2, outcome: 'completed' })
        .changesNothing()
    }
    given(...two)
      .when('recordEnd', { payment: 3, outcome: 'completed' })
      .changesNothing()
  })

  it('counts as a whole what leaves the wallet, and nothing that stays there', () => {
    const own = { to: 'studio', to_account: 'savings', amount: 300n }
    const inside = (more: object) => ({
      type: 'PaymentDue',
      data: { ...moved, payment: 1, transfer: uuid(0), to: 'studio', toAccount: 'savings', amount: 300n, ...more },
    })
    const whole = (payments: number, total: bigint) => ({
      ...requested,
      data: { ...requested.data, payments, total },
    })
    given()
      .when('request', { ...asked, payments: [own] }, made)
      .then(whole(1, 300n), inside({}) as never)
    given()
      .when('request', { ...asked, payments: [own, payments[1]!] }, made)
      .then(whole(2, 500n), inside({ total: 200n }) as never, due(2, 'ana', 200n, { total: 200n }))
  })

  describe('approval', () => {
    const waits = (payment: number) => ({ type: 'PaymentWaiting' as const, data: { payment, approvers: ['ana'] } })
    const approvalAsked = { type: 'PaymentBatchApprovalAsked' as const, data: { approvers: ['ana'] } }
    const payment = (n: number) => ({ payment: n, transfer: uuid(n - 1) })
    const approved = {
      type: 'PaymentBatchApproved' as const,
      data: { payments: [payment(1), payment(2)], approvedBy: 'ana' },
    }
    const recordWaiting = (payment: number) => ({ payment, approvers: ['ana'] })
    const ana = { actor: 'ana' }
    const all = [...two, waits(1), waits(2), approvalAsked]

    it('is asked for once, when all payments that are left wait', () => {
      given(...two)
        .when('recordWaiting', recordWaiting(1))
        .then(waits(1))
      given(...two, waits(1))
        .when('recordWaiting', recordWaiting(1))
        .changesNothing()
      given(...two, waits(1))
        .when('recordWaiting', recordWaiting(2))
        .then(waits(2), approvalAsked)
      given(...two, waits(1))
        .when('recordEnd', { payment: 2, outcome: 'completed' })
        .then(ended(2, 'completed'), approvalAsked)
      given(...all)
        .when('recordEnd', { payment: 2, outcome: 'refused' })
        .then(ended(2, 'refused'))
      given(...two, ended(1, 'refused'))
        .when('recordWaiting', recordWaiting(1))
        .changesNothing()
    })
    it('is given by a second person, to what waits', () => {
      given(...all)
        .when('approve', {}, ana)
        .then(approved)
      given(...two, waits(1))
        .when('approve', { reason: 'Yes' }, ana)
        .then({ ...approved, data: { ...approved.data, payments: [payment(1)], reason: 'Yes' } })
      given(...all)
        .when('approve', {})
        .rejects('payment_batch_of_oneself')
      for (const facts of [two, [...all, approved]])
        given(...facts)
          .when('approve', {}, ana)
          .rejects('payment_batch_not_waiting')
      given(...all, approved, waits(2))
        .when('recordWaiting', recordWaiting(1))
        .then(waits(1), approvalAsked)
    })
    it('is declined, also by who asked', () => {
      const declined = {
        type: 'PaymentBatchDeclined' as const,
        data: { payments: [payment(1), payment(2)], reason: 'No' },
      }
      given(...all)
        .when('decline', { reason: 'No' })
        .then(declined)
      given(...all, declined)
        .when('decline', { reason: 'No' })
        .rejects('payment_batch_not_waiting')
      given(...all, declined, ended(1, 'refused'), ended(2, 'refused'), batchEnded(0, 2, 0n))
        .when('approve', {}, ana)
        .rejects('payment_batch_not_waiting')
    })
  })
})
