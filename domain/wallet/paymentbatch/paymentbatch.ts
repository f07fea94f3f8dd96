import { aggregate, type Decide, type Evolve, inStatus } from '../../kernel/aggregate.ts'
import { rejected } from '../../kernel/errors.ts'
import { type Keyed, memberOf, noneKeyed, withMember, withoutMember } from '../../record/keyed.ts'
import { movementOf } from '../transfer/movement.ts'
import { activity } from './activity.ts'
import { commands, events, rejections } from './messages.ts'

/** A batch runs until each of its payments has ended; `open` has the amounts of those that have not. */
export type PaymentBatch =
  | { readonly status: 'none' }
  | {
      readonly status: 'running'
      readonly open: Keyed<bigint>
      readonly left: number
      readonly completed: number
      readonly failed: number
      readonly moved: bigint
    }
  | { readonly status: 'ended' }

const evolve: Evolve<PaymentBatch, typeof events> = {
  PaymentBatchRequested: () => ({ status: 'running', open: noneKeyed, left: 0, completed: 0, failed: 0, moved: 0n }),
  PaymentDue(batch, { payment, amount }) {
    const running = inStatus(batch, 'running')
    return { ...running, left: running.left + 1, open: withMember(running.open, String(payment), amount) }
  },
  PaymentEnded(batch, { payment, outcome }) {
    const { open, left, completed, failed, moved } = inStatus(batch, 'running')
    const rest = { status: 'running', open: withoutMember(open, String(payment)), left: left - 1 } as const
    if (outcome !== 'completed') return { ...rest, completed, failed: failed + 1, moved }
    return { ...rest, completed: completed + 1, failed, moved: moved + memberOf(open, String(payment))! }
  },
  PaymentBatchEnded: () => ({ status: 'ended' }),
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
    const due = payments.map((payment, n) => ({
      type: 'PaymentDue' as const,
      data: {
        payment: n + 1,
        transfer: newId(n),
        ...movementOf({ ...source, ...payment }, CODES),
        ...(dueAt !== undefined && { dueAt }),
      },
    }))
    const { from, fromAccount, currency, places } = due[0]!.data
    const total = payments.reduce((sum, { amount }) => sum + amount, 0n)
    const requestedBy = behalf?.subject ?? actor
    const whole = { from, fromAccount, currency, places, payments: payments.length, total, requestedBy }
    return [{ type: 'PaymentBatchRequested', data: { ...(title !== undefined && { title }), ...whole } }, ...due]
  },
  recordEnd(batch, end) {
    if (batch.status !== 'running' || memberOf(batch.open, String(end.payment)) === undefined) return []
    const ended = { type: 'PaymentEnded', data: end } as const
    const after = inStatus(evolve.PaymentEnded(batch, end, ''), 'running')
    if (after.left > 0) return [ended]
    const { completed, failed, moved } = after
    return [ended, { type: 'PaymentBatchEnded', data: { completed, failed, moved } }]
  },
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
    recordEnd: 'internal',
  },
  rejections,
  initial: { status: 'none' } as PaymentBatch,
  evolve,
  decide,
  stateSchema: 1,
  activity,
})
