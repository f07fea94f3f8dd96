import type { z } from 'zod'
import type { DomainEvent } from '../../domain/kernel/event.ts'
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
  uuid,
} from '../../domain/kernel/schema.ts'
import { events } from '../../domain/wallet/paymentbatch/messages.ts'
import { existing, type Handlers, projection } from '../rows/projection.ts'
import { paymentBatches } from './payment-batches.ts'

const row = object({
  org: id('org'),
  batch: id('payment batch'),
  payment: unsigned64.meta({ description: 'number of the payment in its batch' }),
  status: oneOf('under_way', 'waiting', 'completed', 'refused', 'timed_out', 'cancelled', 'declined'),
  transfer: uuid.meta({ description: 'the transfer that moves the money; none where that could not be requested' }),
  to: id('wallet'),
  to_account: text(255),
  currency,
  places: integer(0, 30).meta({ description: 'decimal places that the amounts are in' }),
  amount: minorUnits,
  fee: minorUnits.optional(),
  description: text(1000).optional(),
  due_at: timestamp.optional(),
  refusal: text(64).optional().meta({ description: 'code of the rule that refused it' }),
  reason: text(1000).optional(),
  revision: unsigned64,
  updated_at: timestamp,
  ended_at: timestamp.optional(),
})

type Row = z.output<typeof row>
type Decided = { readonly payments: readonly { readonly payment: number }[] }

const keysOf = ({ payments }: Decided, { org, id }: { readonly org: string; readonly id: string }) =>
  payments.map(({ payment }) => ({ org, batch: id, payment: BigInt(payment) }))

const withStatus = (
  row: Row,
  status: Row['status'],
  { revision, metadata: { at } }: Pick<DomainEvent, 'revision' | 'metadata'>,
): Row => ({ ...row, status, revision, updated_at: at })

const on: Handlers<z.output<typeof row>, typeof events> = {
  PaymentBatchRequested: null,
  PaymentDue: {
    keys: ({ data: { payment }, metadata: { org, id } }) => [{ org, batch: id, payment: BigInt(payment) }],
    fold: (_, { data, metadata: { org, id, at }, revision }) => ({
      org,
      batch: id,
      payment: BigInt(data.payment),
      status: 'under_way',
      transfer: data.transfer,
      to: data.to,
      to_account: data.toAccount,
      currency: data.currency,
      places: data.places,
      amount: data.amount,
      fee: data.fee?.amount,
      description: data.description,
      due_at: data.dueAt,
      revision,
      updated_at: at,
    }),
  },
  PaymentWaiting: {
    keys: ({ data: { payment }, metadata: { org, id } }) => [{ org, batch: id, payment: BigInt(payment) }],
    fold: (row, event) => withStatus(existing(row, event), 'waiting', event),
  },
  PaymentBatchApprovalAsked: null,
  PaymentBatchApproved: {
    keys: ({ data, metadata }) => keysOf(data, metadata),
    fold: (row, event) => withStatus(existing(row, event), 'under_way', event),
  },
  PaymentBatchDeclined: {
    keys: ({ data, metadata }) => keysOf(data, metadata),
    fold: (row, event) => withStatus(existing(row, event), 'under_way', event),
  },
  PaymentEnded: {
    keys: ({ data: { payment }, metadata: { org, id } }) => [{ org, batch: id, payment: BigInt(payment) }],
    fold: (row, event) => ({
      ...existing(row, event),
      status: event.data.outcome,
      refusal: event.data.code,
      reason: event.data.reason,
      revision: event.revision,
      updated_at: event.metadata.at,
      ended_at: event.metadata.at,
    }),
  },
  PaymentBatchEnded: null,
}

/** One row per payment of a batch. */
export const payments = projection({
  name: 'payments',
  service: 'wallet',
  version: 1,
  history: true,
  of: { paymentbatch: events },
  row,
  key: ['org', 'batch', 'payment'],
  on,
  reads: [
    {
      one: 'payment',
      many: 'payments',
      path: '/payment-batches/:id/payments',
      permission: 'transfers.read',
      parents: { id: 'batch' },
      within: paymentBatches,
      names: ['payment'],
      order: ['payment'],
      filters: ['status', 'to', 'refusal'],
      groups: ['status', 'to', 'refusal', 'currency', 'places'],
      sums: ['amount'],
      places: { amount: 'places' },
      summary: { list: 'The payments of a batch, each with how it ended.', get: 'A payment of a batch.' },
    },
  ],
})
