import type { z } from 'zod'
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
import { type Handlers, projection } from '../rows/projection.ts'
import { changed, made } from '../rows/thing.ts'

const STEPS = ['scheduled', 'requested', 'held', 'completed', 'refused', 'timed_out', 'cancelled', 'released'] as const

const row = object({
  org: id('org'),
  id: id('transfer'),
  status: oneOf('scheduled', 'requested', 'held', 'completed', 'refused', 'timed_out', 'cancelled'),
  from: id('wallet'),
  from_account: text(255),
  to: id('wallet'),
  to_account: text(255),
  currency,
  places: integer(0, 30).meta({ description: 'decimal places that `amount` is in' }),
  amount: minorUnits,
  description: text(1000).optional(),
  due_at: timestamp.optional().meta({ description: 'when it begins' }),
  expires_at: timestamp.optional().meta({ description: 'when it is given up if the amount is not held by then' }),
  refused_at: oneOf('hold', 'credit').optional().meta({ description: 'the step that was refused' }),
  refusal: text(64).optional().meta({ description: 'code of the rule that refused it' }),
  reason: text(1000).optional(),
  steps: list(object({ step: oneOf(...STEPS), at: timestamp }), 16).meta({
    description: 'what happened, oldest first; `released`: the amount was held after the end, and let go',
  }),
  revision: unsigned64,
  requested_at: timestamp,
  updated_at: timestamp,
  ended_at: timestamp.optional(),
})
type Row = z.output<typeof row>
type Status = Row['status']

const stepped = (steps: Row['steps'], step: Row['steps'][number]['step'], at: string) => [...steps, { step, at }]
const ends = (status: Status) =>
  changed<Row, unknown>((_, { steps }, at) => ({ status, steps: stepped(steps, status, at), ended_at: at }))

const on: Handlers<Row, typeof events> = {
  TransferScheduled: made(({ fromAccount, toAccount, dueAt, expiresAt, ...data }, at) => ({
    ...data,
    status: 'scheduled',
    from_account: fromAccount,
    to_account: toAccount,
    due_at: dueAt,
    expires_at: expiresAt,
    steps: stepped([], 'scheduled', at),
    requested_at: at,
  })),
  TransferRequested: {
    keys: ({ metadata: { org, id } }) => [{ org, id }],
    fold: (row, { data: { fromAccount, toAccount, expiresAt, ...data }, metadata: { org, id, at }, revision }) => ({
      requested_at: at,
      ...row,
      org,
      id,
      ...data,
      status: 'requested',
      from_account: fromAccount,
      to_account: toAccount,
      expires_at: expiresAt,
      steps: stepped(row?.steps ?? [], 'requested', at),
      revision,
      updated_at: at,
    }),
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
  version: 1,
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
      filters: ['status', 'from', 'to', 'currency', 'refusal', 'due_at', 'requested_at'],
      groups: ['status', 'from', 'to', 'currency', 'places', 'refusal', 'requested_at', 'ended_at'],
      sums: ['amount'],
      places: { amount: 'places' },
      summary: { list: 'The transfers of the organization.', get: 'A transfer with its state and its steps.' },
    },
  ],
})
