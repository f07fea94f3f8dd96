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
  uuid,
} from '../../domain/kernel/schema.ts'
import { events } from '../../domain/wallet/standingorder/messages.ts'
import { type Handlers, projection } from '../rows/projection.ts'
import { changed, made } from '../rows/thing.ts'

const row = object({
  org: id('org'),
  id: id('standing order'),
  status: oneOf('open', 'ended', 'cancelled'),
  from: id('wallet'),
  from_account: text(255),
  to: id('wallet'),
  to_account: text(255),
  currency,
  places: integer(0, 30).meta({ description: 'decimal places that `amount` is in' }),
  amount: minorUnits,
  description: text(1000).optional(),
  fee: minorUnits.optional().meta({ description: 'what each transfer costs, beside `amount`' }),
  fee_payer: oneOf('from', 'to').optional(),
  rule: text(500),
  starts: text(19),
  zone: text(64),
  next_at: timestamp.optional().meta({ description: 'when it is due next' }),
  fired: unsigned64.meta({ description: 'how often it was due' }),
  last_at: timestamp.optional().meta({ description: 'when it was due last' }),
  last_transfer: uuid.optional().meta({ description: 'the transfer of the last time' }),
  refused: unsigned64.meta({ description: 'how many of its transfers could not be requested' }),
  refusal: text(64).optional().meta({ description: 'code of the last one of these' }),
  revision: unsigned64,
  opened_at: timestamp,
  updated_at: timestamp,
})

const on: Handlers<z.output<typeof row>, typeof events> = {
  StandingOrderOpened: made(({ fromAccount, toAccount, next, fee, ...data }, at) => ({
    ...data,
    status: 'open',
    from_account: fromAccount,
    to_account: toAccount,
    fee: fee?.amount,
    fee_payer: fee?.payer,
    next_at: next.at,
    fired: 0n,
    refused: 0n,
    opened_at: at,
  })),
  StandingOrderFired: changed(({ due, next, transfer }, { fired }) => ({
    status: next === undefined ? 'ended' : 'open',
    next_at: next?.at,
    fired: fired + 1n,
    last_at: due.at,
    last_transfer: transfer,
  })),
  StandingOrderRefused: changed(({ code }, { refused }) => ({ refused: refused + 1n, refusal: code })),
  StandingOrderCancelled: changed(() => ({ status: 'cancelled', next_at: undefined })),
}

/** One row per standing order: what it moves, and when it is due. */
export const standingOrders = projection({
  name: 'standing_orders',
  service: 'wallet',
  version: 2,
  history: true,
  of: { standingorder: events },
  row,
  key: ['org', 'id'],
  on,
  reads: [
    {
      one: 'standing order',
      many: 'standing orders',
      path: '/standing-orders',
      permission: 'transfers.read',
      names: ['id'],
      order: ['id'],
      filters: ['status', 'from', 'to', 'currency', 'next_at', 'opened_at'],
      groups: ['status', 'from', 'to', 'currency', 'places'],
      sums: ['amount', 'fired', 'refused'],
      places: { amount: 'places' },
      units: { fired: null, refused: null },
      summary: { list: 'The standing orders of the organization.', get: 'A standing order.' },
    },
  ],
})
