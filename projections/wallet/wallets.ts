import type { z } from 'zod'
import { column, id, integer, object, oneOf, sealed, timestamp, unsigned64 } from '../../domain/kernel/schema.ts'
import { subjectName } from '../../domain/record/subject.ts'
import { transferRules } from '../../domain/wallet/wallet/fields.ts'
import { events } from '../../domain/wallet/wallet/messages.ts'
import { type Handlers, projection } from '../rows/projection.ts'
import { changed, made } from '../rows/thing.ts'

const row = object({
  org: id('org'),
  id: id('wallet'),
  owner: subjectName,
  holder: sealed.optional(),
  kind: oneOf('personal', 'portfolio', 'office', 'business'),
  status: oneOf('open', 'frozen', 'closed'),
  accounts: integer(0, 2 ** 31 - 1).meta({ description: 'how many are open' }),
  transfer_rules: column(object(transferRules), 'jsonb')
    .optional()
    .meta({ description: 'what may be sent out of it per day and month, and what a second person approves' }),
  revision: unsigned64,
  opened_at: timestamp,
  updated_at: timestamp,
})

const on: Handlers<z.output<typeof row>, typeof events> = {
  WalletOpened: made((data, at) => ({ ...data, status: 'open', accounts: 0, opened_at: at })),
  AccountOpened: changed((_, { accounts }) => ({ accounts: accounts + 1 })),
  EntryPosted: null,
  FundsHeld: null,
  HoldCaptured: null,
  HoldReleased: null,
  WalletChanged: changed(({ holder }) => (holder === undefined ? {} : { holder: holder ?? undefined })),
  AccountOverdraftChanged: null,
  AccountChanged: null,
  AccountFrozen: null,
  AccountUnfrozen: null,
  AccountClosed: changed((_, { accounts }) => ({ accounts: accounts - 1 })),
  AccountReopened: changed((_, { accounts }) => ({ accounts: accounts + 1 })),
  ChartSet: null,
  TransferRulesSet: changed(({ version: _, reason: __, ...transfer_rules }) => ({ transfer_rules })),
  AccessGranted: null,
  AccessRevoked: null,
  WalletFrozen: changed(() => ({ status: 'frozen' })),
  WalletUnfrozen: changed(() => ({ status: 'open' })),
  WalletClosed: changed(() => ({ status: 'closed' })),
}

/** One row per wallet: who owns it, whether it is open. */
export const wallets = projection({
  name: 'wallets',
  service: 'wallet',
  version: 3,
  history: true,
  of: { wallet: events },
  row,
  key: ['org', 'id'],
  on,
  reads: [
    {
      one: 'wallet',
      many: 'wallets',
      path: '/wallets',
      permission: 'wallets.read',
      names: ['id'],
      order: ['id'],
      filters: ['owner', 'kind', 'status', 'opened_at'],
      groups: ['owner', 'kind', 'status', 'opened_at'],
      sums: ['accounts'],
      summary: { list: 'The wallets of the organization.', get: 'A wallet.' },
    },
  ],
})
