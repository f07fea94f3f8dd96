import type { z } from 'zod'
import { id, integer, object, text, timestamp, unsigned64 } from '../../domain/kernel/schema.ts'
import { chart } from '../../domain/wallet/wallet/fields.ts'
import { events } from '../../domain/wallet/wallet/messages.ts'
import { type Handlers, projection } from '../rows/projection.ts'
import { wallets } from './wallets.ts'

const row = object({
  org: id('org'),
  wallet: id('wallet'),
  version: integer(1, 2 ** 31 - 1),
  position: unsigned64,
  revision: unsigned64,
  ...chart,
  reason: text(1000).optional(),
  set_by: text(128),
  set_at: timestamp,
})

const on: Handlers<z.output<typeof row>, typeof events> = {
  WalletOpened: null,
  AccountOpened: null,
  EntryPosted: null,
  FundsHeld: null,
  HoldCaptured: null,
  HoldReleased: null,
  WalletChanged: null,
  AccountOverdraftChanged: null,
  AccountChanged: null,
  AccountFrozen: null,
  AccountUnfrozen: null,
  AccountClosed: null,
  AccountReopened: null,
  ChartSet: {
    append: ({ data, metadata: { org, id, at, actor }, revision, position }) => [
      { org, wallet: id, position, revision, ...data, set_by: actor.subject, set_at: at },
    ],
  },
  TransferRulesSet: null,
  AccessGranted: null,
  AccessRevoked: null,
  WalletFrozen: null,
  WalletUnfrozen: null,
  WalletClosed: null,
}

/** One row per version of a wallet's chart of accounts; the last one holds. */
export const charts = projection({
  name: 'charts',
  service: 'wallet',
  version: 1,
  history: false,
  of: { wallet: events },
  row,
  key: ['org', 'wallet', 'version'],
  on,
  reads: [
    {
      one: 'chart',
      many: 'charts',
      path: '/wallets/:id/charts',
      permission: 'accounts.read',
      parents: { id: 'wallet' },
      within: wallets,
      names: [],
      order: ['version'],
      groups: ['mode', 'set_at', 'set_by'],
      summary: {
        list: 'The versions of the chart of accounts of a wallet; the last one holds.',
      },
    },
  ],
})
