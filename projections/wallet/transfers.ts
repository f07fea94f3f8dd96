import type { z } from 'zod'
import type { DomainEvent } from '../../domain/kernel/event.ts'
import {
  currency,
  id,
  integer,
  list,
  minorUnits,
  object,
  oneOf,
  text,
  timestamp,
  unsigned64,
} from '../../domain/kernel/schema.ts'
import { events } from '../../domain/wallet/transfer/messages.ts'
import { existing, type Handlers, projection } from '../rows/projection.ts'
import { changed } from '../rows/thing.ts'

/** Approvals that count for nothing can be many: the last steps are kept. */
const STEPS_MAX = 16
const STATUSES = [
  'scheduled',
  'requested',
  'waiting',
  'approved',
  'held',
  'completed',
  'refused',
  'timed_out',
  'cancelled',
  'declined',
] as const

const row = object({
  org: id('org'),
  id: id('transfer'),
  status: oneOf(...STATUSES).meta({ description: '`waiting`: a second person has to approve it' }),
  from: id('wallet'),
  from_account: text(255),
  to: id('wallet'),
  to_account: text(255),
  currency,
  places: integer(0, 30).meta({ description: 'decimal places that `amount` is in' }),
  amount: minorUnits,
  description: text(1000).optional(),
  fee: minorUnits.optional().meta({ description: 'what it costs, beside `amount`' }),
  fee_payer: oneOf('from', 'to').optional().meta({ description: 'whether that comes on top, or out of what arrives' }),
  fee_account: text(255).optional(),
  requested_by: text(255),
  batch: id('payment batch').optional().meta({ description: 'the payment batch that it is a payment of' }),
  approvers: list(id('user'), 50)
    .optional()
    .meta({ description: 'who has a right to the wallet and may approve it, beside administrators' }),
  decided_by: text(255).optional().meta({ description: 'who approved or declined it' }),
  due_at: timestamp.optional().meta({ description: 'when it begins' }),
  expires_at: timestamp.optional().meta({ description: 'when it is given up if the amount is not held by then' }),
  refused_at: oneOf('hold', 'credit').optional().meta({ description: 'the step that was refused' }),
  refusal: text(64).optional().meta({ description: 'code of the rule that refused it' }),
  reason: text(1000).optional(),
  steps: list(object({ step: oneOf(...STATUSES, 'released'), at: timestamp }), STEPS_MAX).meta({
    description: 'what happened, oldest first; `released`: the amount was held after the end, and let go',
  }),
  revision: unsigned64,
  requested_at: timestamp,
  updated_at: timestamp,
  ended_at: timestamp.optional(),
})
type Row = z.output<typeof row>
type Status = Row['status']

const stepped = (steps: Row['steps'], step: Row['steps'][number]['step'], at: string) =>
  [...steps, { step, at }].slice(-STEPS_MAX)
/** What the events that begin a transfer say of it. */
function columnsOf({ fromAccount, toAccount, kind: _, requestedBy, batch, fee, expiresAt, ...data }: Begun) {
  return {
    ...data,
    from_account: fromAccount,
    to_account: toAccount,
    fee: fee?.amount,
    fee_payer: fee?.payer,
    fee_account: fee?.account,
    batch: batch?.id,
    expires_at: expiresAt,
  }
}
type Begun = z.output<(typeof events)['TransferRequested']>
const requesterOf = ({ data, metadata }: DomainEvent<string, Begun>) =>
  data.requestedBy ?? metadata.behalf?.subject ?? metadata.actor.subject

const ends = (status: Status) =>
  changed<Row, unknown>((_, { steps }, at) => ({ status, steps: stepped(steps, status, at), ended_at: at }))

const on: Handlers<Row, typeof events> = {
  TransferScheduled: {
    keys: ({ metadata: { org, id } }) => [{ org, id }],
    fold(_, event) {
      const { data, revision, metadata } = event
      const { dueAt, ...rest } = data
      const { org, id, at } = metadata
      return {
        org,
        id,
        ...columnsOf(rest),
        status: 'scheduled',
        requested_by: requesterOf(event),
        due_at: dueAt,
        steps: stepped([], 'scheduled', at),
        revision,
        requested_at: at,
        updated_at: at,
      }
    },
  },
  TransferRequested: {
    keys: ({ metadata: { org, id } }) => [{ org, id }],
    fold(row, event) {
      const { org, id, at } = event.metadata
      return {
        requested_at: at,
        requested_by: requesterOf(event),
        ...row,
        org,
        id,
        ...columnsOf(event.data),
        status: 'requested',
        steps: stepped(row?.steps ?? [], 'requested', at),
        revision: event.revision,
        updated_at: at,
      }
    },
  },
  TransferApprovalAsked: changed(({ approvers, expiresAt }, { steps }, at) => ({
    status: 'waiting',
    approvers,
    expires_at: expiresAt,
    steps: stepped(steps, 'waiting', at),
  })),
  TransferApproved: changed(({ approvedBy }, { steps }, at) => ({
    status: 'approved',
    decided_by: approvedBy,
    steps: stepped(steps, 'approved', at),
  })),
  TransferDeclined: {
    keys: ({ metadata: { org, id } }) => [{ org, id }],
    fold(row, event) {
      const { steps, ...before } = existing(row, event)
      const { data, revision, metadata } = event
      return {
        ...before,
        status: 'declined',
        decided_by: (metadata.behalf ?? metadata.actor).subject,
        reason: data.reason,
        steps: stepped(steps, 'declined', metadata.at),
        revision,
        updated_at: metadata.at,
        ended_at: metadata.at,
      }
    },
  },
  TransferHeld: changed((_, { steps }, at) => ({ status: 'held', steps: stepped(steps, 'held', at) })),
  TransferHeldInVain: changed((_, { steps }, at) => ({ steps: stepped(steps, 'released', at) })),
  TransferCompleted: ends('completed'),
  TransferRefused: changed(({ step, code, reason }, { steps }, at) => ({
    status: 'refused',
    refused_at: step,
    refusal: code,
    reason,
    steps: stepped(steps, 'refused', at),
    ended_at: at,
  })),
  TransferTimedOut: ends('timed_out'),
  TransferCancelled: ends('cancelled'),
}

/** One row per transfer: where it stands, and the steps that it took. */
export const transfers = projection({
  name: 'transfers',
  service: 'wallet',
  version: 2,
  history: true,
  of: { transfer: events },
  row,
  key: ['org', 'id'],
  on,
  reads: [
    {
      one: 'transfer',
      many: 'transfers',
      path: '/transfers',
      permission: 'transfers.read',
      names: ['id'],
      order: ['id'],
      filters: ['status', 'from', 'to', 'currency', 'refusal', 'requested_by', 'batch', 'due_at', 'requested_at'],
      groups: ['status', 'from', 'to', 'currency', 'places', 'refusal', 'requested_at', 'ended_at'],
      sums: ['amount'],
      places: { amount: 'places' },
      summary: { list: 'The transfers of the organization.', get: 'A transfer with its state and its steps.' },
    },
  ],
})
