import type { z } from 'zod'
import { id, integer, object, oneOf, sealed, timestamp, unsigned64 } from '../../domain/kernel/schema.ts'
import { events } from '../../domain/wallet/wallet/messages.ts'
import { type Handlers, keyOfThing, known, projection } from '../rows/projection.ts'

const row = object({
  org: id('org'),
  id: id('wallet'),
  owner: id('user'),
  holder: sealed.optional(),
  kind: oneOf('personal', 'portfolio', 'office', 'business'),
  status: oneOf('open', 'closed'),
  accounts: integer(0, 2 ** 31 - 1),
  revision: unsigned64,
  opened_at: timestamp,
  updated_at: timestamp,
})

const on: Handlers<z.output<typeof row>, typeof events> = {
  WalletOpened: {
    keys: keyOfThing,
    fold: (_, { data: { owner, holder, kind }, metadata: { org, id, at }, revision }) => ({
      org,
      id,
      owner,
      holder,
      kind,
      status: 'open',
      accounts: 0,
      revision,
      opened_at: at,
      updated_at: at,
    }),
  },
  AccountOpened: {
    keys: keyOfThing,
    fold: (row, event) => {
      const wallet = known(row, event)
      return { ...wallet, accounts: wallet.accounts + 1, revision: event.revision, updated_at: event.metadata.at }
    },
  },
  EntryPosted: null,
  WalletClosed: {
    keys: keyOfThing,
    fold: (row, event) => ({
      ...known(row, event),
      status: 'closed',
      revision: event.revision,
      updated_at: event.metadata.at,
    }),
  },
}

/** One row per wallet: who owns it, whether it is open. */
export const wallets = projection({
  name: 'wallets',
  version: 1,
  history: true,
  of: { wallet: events },
  row,
  key: ['org', 'id'],
  indexes: [['org', 'owner', 'id']],
  on,
})
