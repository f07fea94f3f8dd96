import type { z } from 'zod'
import {
  currency,
  date,
  id,
  integer,
  minorUnits,
  object,
  oneOf,
  text,
  timestamp,
  unsigned64,
} from '../../domain/kernel/schema.ts'
import { events } from '../../domain/wallet/wallet/messages.ts'
import { existing, type Handler, type Handlers, projection } from '../rows/projection.ts'
import { wallets } from './wallets.ts'

const row = object({
  org: id('org'),
  wallet: id('wallet'),
  hold: id('hold'),
  account: text(255),
  currency,
  amount: minorUnits.meta({ description: 'what is held, or was until the hold ended' }),
  places: integer(0, 30)
    .optional()
    .meta({ description: 'decimal places of the amounts, where finer than the `minor_places` of the account' }),
  status: oneOf('open', 'captured', 'released'),
  captured: minorUnits.optional().meta({ description: 'what the entry took of it; the rest was released' }),
  entry: id('entry').optional(),
  expires_at: timestamp.optional().meta({ description: 'when it is to be released by itself' }),
  sent_on: date.optional().meta({ description: 'day that it counts for in the limits of what may be sent' }),
  description: text(1000).optional(),
  reason: text(1000).optional().meta({ description: 'why it was released' }),
  revision: unsigned64,
  held_at: timestamp,
  updated_at: timestamp,
})
type Row = z.output<typeof row>

/** The event ends a hold. */
const ended = <D extends { readonly hold: string }>(changes: (data: D) => Partial<Row>): Handler<Row, D> => ({
  keys: ({ data: { hold }, metadata: { org, id } }) => [{ org, wallet: id, hold }],
  fold: (row, event) => ({
    ...existing(row, event),
    ...changes(event.data),
    revision: event.revision,
    updated_at: event.metadata.at,
  }),
})

const on: Handlers<Row, typeof events> = {
  WalletOpened: null,
  AccountOpened: null,
  EntryPosted: null,
  FundsHeld: {
    keys: ({ data: { hold }, metadata: { org, id } }) => [{ org, wallet: id, hold }],
    fold: (_, { data: { expiresAt, sentOn, ...data }, metadata: { org, id, at }, revision }) => ({
      org,
      wallet: id,
      ...data,
      status: 'open',
      expires_at: expiresAt,
      sent_on: sentOn,
      revision,
      held_at: at,
      updated_at: at,
    }),
  },
  HoldCaptured: ended(({ amount, released, entry, places }) => ({
    status: 'captured',
    amount: amount + released,
    captured: amount,
    places,
    entry,
  })),
  HoldReleased: ended(({ reason }) => ({ status: 'released', reason })),
  WalletChanged: null,
  AccountOverdraftChanged: null,
  AccountChanged: null,
  AccountFrozen: null,
  AccountUnfrozen: null,
  AccountClosed: null,
  AccountReopened: null,
  ChartSet: null,
  TransferRulesSet: null,
  AccessGranted: null,
  AccessRevoked: null,
  WalletFrozen: null,
  WalletUnfrozen: null,
  WalletClosed: null,
}

/** One row per hold of a wallet, those that ended too. */
export const holds = projection({
  name: 'holds',
  service: 'wallet',
  version: 2,
  history: true,
  of: { wallet: events },
  row,
  key: ['org', 'wallet', 'hold'],
  on,
  reads: [
    {
      one: 'hold',
      many: 'holds',
      path: '/wallets/:id/holds',
      permission: 'holds.read',
      parents: { id: 'wallet' },
      within: wallets,
      names: ['hold'],
      order: ['hold'],
      filters: ['status', 'account', 'expires_at'],
      groups: ['account', 'currency', 'places', 'status', 'expires_at', 'held_at'],
      sums: ['amount', 'captured'],
      places: { amount: 'places', captured: 'places' },
      summary: {
        list: 'The holds of a wallet: money set aside, and how that ended.',
        get: 'A hold of a wallet.',
      },
    },
  ],
})
