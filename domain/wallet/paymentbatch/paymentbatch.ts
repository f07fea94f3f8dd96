import { aggregate, type Decide, type Evolve, inStatus } from '../../kernel/aggregate.ts'
import { rejected } from '../../kernel/errors.ts'
import { type Keyed, memberOf, membersOf, noneKeyed, withMember, withoutMember } from '../../record/keyed.ts'
import { because } from '../../record/reason.ts'
import { leavingBy, movementOf } from '../transfer/movement.ts'
import { activity } from './activity.ts'
import { commands, events, rejections } from './messages.ts'

type Open = {
  readonly payment: number
  readonly transfer: string
  readonly amount: bigint
  /** Whether it waits for a second person. */
  readonly isWaiting: boolean
}

/** A batch runs until each of its payments has ended; `open` has those that have not, `waiting` of which wait. */
export type PaymentBatch =
  | { readonly status: 'none' }
  | {
      readonly status: 'running'
      readonly requestedBy: string
      readonly open: Keyed<Open>
      readonly left: number
      readonly waiting: number
      readonly approvers: readonly string[]
      readonly completed: number
      readonly failed: number
      readonly moved: bigint
    }
  | { readonly status: 'ended' }
type Running = Extract<PaymentBatch, { status: 'running' }>

const evolve: Evolve<PaymentBatch, typeof events> = {
  PaymentBatchRequested: (_, { requestedBy }) => ({
    status: 'running',
    requestedBy,
    open: noneKeyed,
    left: 0,
    waiting: 0,
    approvers: [],
    completed: 0,
    failed: 0,
    moved: 0n,
  }),
  PaymentDue(batch, { payment, transfer, amount }) {
    const running = inStatus(batch, 'running')
    const open = withMember(running.open, String(payment), { payment, transfer, amount, isWaiting: false })
    return { ...running, left: running.left + 1, open }
  },
  PaymentWaiting(batch, { payment, approvers }) {
    const running = inStatus(batch, 'running')
    return { ...withWaiting(running, payment, true), waiting: running.waiting + 1, approvers }
  },
  PaymentBatchApprovalAsked: batch => batch,
  PaymentBatchApproved: (batch, { payments }) => decided(batch, payments),
  PaymentBatchDeclined: (batch, { payments }) => decided(batch, payments),
  PaymentEnded(batch, { payment, outcome }) {
    const running = inStatus(batch, 'running')
    const { open, completed, failed, moved } = running
    const { amount, isWaiting } = memberOf(open, String(payment))!
    const rest = {
      ...running,
      open: withoutMember(open, String(payment)),
      left: running.left - 1,
      waiting: running.waiting - (isWaiting ? 1 : 0),
    }
    if (outcome !== 'completed') return { ...rest, failed: failed + 1 }
    return { ...rest, completed: completed + 1, moved: moved + amount }
  },
  PaymentBatchEnded: () => ({ status: 'ended' }),
}

/** The batch after a second person decided on payments that waited. */
const decided = (batch: PaymentBatch, payments: readonly { readonly payment: number }[]): PaymentBatch => ({
  ...payments.reduce((left, { payment }) => withWaiting(left, payment, false), inStatus(batch, 'running')),
  waiting: 0,
})

function withWaiting(batch: Running, payment: number, isWaiting: boolean): Running {
  const it = memberOf(batch.open, String(payment))!
  return { ...batch, open: withMember(batch.open, String(payment), { ...it, isWaiting }) }
}

const CODES = {
  unknown: 'payment_batch_places_unknown',
  mismatch: 'payment_batch_places_mismatch',
  fee: 'payment_batch_fee_too_large',
}

const decide: Decide<PaymentBatch, typeof commands, typeof events> = {
  request(batch, { id: _, title, payments, due_at: dueAt, ...source }, { actor, behalf, newId }) {
    if (batch.status !== 'none') {
      throw rejected('payment_batch_already_requested', 'The payment batch exists; choose another id.')
    }
    const movements = payments.map(payment => movementOf({ ...source, ...payment }, CODES))
    const leaving = movements.reduce((sum, movement) => sum + leavingBy(movement), 0n)
    const due = movements.map((movement, n) => ({
      type: 'PaymentDue' as const,
      data: {
        payment: n + 1,
        transfer: newId(n),
        ...movement,
        ...(dueAt !== undefined && { dueAt }),
        ...(leaving > 0n && { total: leaving }),
      },
    }))
    const { from, fromAccount, currency, places } = due[0]!.data
    const total = payments.reduce((sum, { amount }) => sum + amount, 0n)
    const requestedBy = behalf?.subject ?? actor
    const whole = { from, fromAccount, currency, places, payments: payments.length, total, requestedBy }
    return [{ type: 'PaymentBatchRequested', data: { ...(title !== undefined && { title }), ...whole } }, ...due]
  },
  approve(batch, { reason }, { actor }) {
    const { requestedBy, payments } = mustWait(batch)
    if (requestedBy === actor) {
      throw rejected('payment_batch_of_oneself', 'A second person has to approve it: you asked for it yourself.')
    }
    return [{ type: 'PaymentBatchApproved', data: { payments, approvedBy: actor, ...because(reason) } }]
  },
  decline: (batch, { reason }) => [
    { type: 'PaymentBatchDeclined', data: { payments: mustWait(batch).payments, reason } },
  ],
  recordWaiting(batch, { payment, approvers }) {
    const it = batch.status === 'running' ? memberOf(batch.open, String(payment)) : undefined
    if (!it || it.isWaiting) return []
    const data = { payment, approvers: [...approvers] }
    return [{ type: 'PaymentWaiting', data }, ...asking(inStatus(evolve.PaymentWaiting(batch, data, ''), 'running'))]
  },
  recordEnd(batch, end) {
    if (batch.status !== 'running' || memberOf(batch.open, String(end.payment)) === undefined) return []
    const ended = { type: 'PaymentEnded', data: end } as const
    const after = inStatus(evolve.PaymentEnded(batch, end, ''), 'running')
    if (after.left > 0) return [ended, ...(batch.waiting < batch.left ? asking(after) : [])]
    const { completed, failed, moved } = after
    return [ended, { type: 'PaymentBatchEnded', data: { completed, failed, moved } }]
  },
}

/** That approval is asked for, once all payments that are left wait for it. */
const asking = ({ waiting, left, approvers }: Running) =>
  waiting === left ? [{ type: 'PaymentBatchApprovalAsked' as const, data: { approvers: [...approvers] } }] : []

function mustWait(batch: PaymentBatch) {
  const waiting = batch.status === 'running' ? membersOf(batch.open).filter(({ isWaiting }) => isWaiting) : []
  if (batch.status !== 'running' || waiting.length === 0) {
    throw rejected('payment_batch_not_waiting', 'No payment of the batch waits for approval.', { status: batch.status })
  }
  const payments = waiting.map(({ payment, transfer }) => ({ payment, transfer }))
  return { requestedBy: batch.requestedBy, payments: payments.toSorted((a, b) => a.payment - b.payment) }
}

/** Payments that are asked for together: each is a transfer of its own, and the batch knows how each ended. */
export const paymentBatch = aggregate({
  name: 'paymentbatch',
  events,
  commands,
  api: {
    request: [
      'POST /payment-batches',
      'transfers.write',
      'Transfer money from one account to many: each payment ends by itself, whatever becomes of the others.',
    ],
    approve: [
      'POST /payment-batches/:id/approve',
      'transfers.approve',
      'Approve the payments of a batch that wait for that, and that another person asked for.',
    ],
    decline: [
      'POST /payment-batches/:id/decline',
      'transfers.approve',
      'Decline the payments of a batch that wait for approval.',
    ],
    recordWaiting: 'internal',
    recordEnd: 'internal',
  },
  rejections,
  initial: { status: 'none' } as PaymentBatch,
  evolve,
  decide,
  stateSchema: 2,
  activity,
})
