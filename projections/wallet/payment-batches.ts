import type { z } from 'zod'
import {
  currency,
  id,
  integer,
  minorUnits,
  object,
  oneOf,
  text,
  timestamp,
  unsigned64,
} from '../../domain/kernel/schema.ts'
import { events } from '../../domain/wallet/paymentbatch/messages.ts'
import { type Handlers, projection } from '../rows/projection.ts'
import { changed, made } from '../rows/thing.ts'

const count = integer(0, 10_000)

const row = object({
  org: id('org'),
  id: id('payment batch'),
  status: oneOf('running', 'waiting', 'completed', 'partly_completed', 'failed').meta({
    description:
      '`waiting`: all payments that have not ended wait for approval; once all have ended: whether all, some or none ' +
      'of them were completed',
  }),
  title: text(200).optional(),
  from: id('wallet'),
  from_account: text(255),
  currency,
  places: integer(0, 30).meta({ description: 'decimal places that the amounts are in' }),
  payments: count.meta({ description: 'how many it has' }),
  completed: count,
  failed: count.meta({ description: 'payments that were refused, declined, cancelled or timed out' }),
  total: minorUnits.meta({ description: 'the amounts of all payments' }),
  moved: minorUnits.optional().meta({ description: 'the amounts of those that were completed, once all have ended' }),
  requested_by: text(255),
  revision: unsigned64,
  requested_at: timestamp,
  updated_at: timestamp,
  ended_at: timestamp.optional(),
})

const on: Handlers<z.output<typeof row>, typeof events> = {
  PaymentBatchRequested: made(({ fromAccount, requestedBy, ...data }, at) => ({
    ...data,
    status: 'running',
    from_account: fromAccount,
    completed: 0,
    failed: 0,
    requested_by: requestedBy,
    requested_at: at,
  })),
  PaymentDue: changed(() => ({})),
  PaymentWaiting: changed(() => ({})),
  PaymentBatchApprovalAsked: changed(() => ({ status: 'waiting' })),
  PaymentBatchApproved: changed(() => ({ status: 'running' })),
  PaymentBatchDeclined: changed(() => ({ status: 'running' })),
  PaymentEnded: changed(({ outcome }, { completed, failed }) =>
    outcome === 'completed' ? { completed: completed + 1 } : { failed: failed + 1 },
  ),
  PaymentBatchEnded: changed(({ completed, failed, moved }, _, at) => ({
    status: failed === 0 ? 'completed' : completed === 0 ? 'failed' : 'partly_completed',
    moved,
    ended_at: at,
  })),
}

/** One row per payment batch. */
export const paymentBatches = projection({
  name: 'payment_batches',
  service: 'wallet',
  version: 1,
  history: true,
  of: { paymentbatch: events },
  row,
  key: ['org', 'id'],
  on,
  reads: [
    {
      one: 'payment batch',
      many: 'payment batches',
      path: '/payment-batches',
      permission: 'transfers.read',
      names: ['id'],
      order: ['id'],
      filters: ['status', 'from', 'currency', 'requested_by', 'requested_at'],
      groups: ['status', 'from', 'currency', 'places', 'requested_at'],
      sums: ['total', 'payments', 'completed', 'failed'],
      units: { payments: null, completed: null, failed: null },
      places: { total: 'places' },
      summary: {
        list: 'The payment batches of the organization.',
        get: 'A payment batch: how many payments ended how.',
      },
    },
  ],
})
