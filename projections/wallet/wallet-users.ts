import type { z } from 'zod'
import { id, object, text, timestamp, unsigned64 } from '../../domain/kernel/schema.ts'
import { right } from '../../domain/wallet/wallet/fields.ts'
import { events } from '../../domain/wallet/wallet/messages.ts'
import { type Handlers, projection } from '../rows/projection.ts'
import { NO_POSTINGS } from './no-postings.ts'
import { wallets } from './wallets.ts'

const row = object({
  org: id('org'),
  wallet: id('wallet'),
  user: id('user'),
  right,
  granted_by: text(128),
  revision: unsigned64,
  granted_at: timestamp,
})
type Row = z.output<typeof row>

const keyOf = ({
  data,
  metadata,
}: {
  readonly data: { readonly user: string }
  readonly metadata: { readonly org: string; readonly id: string }
}) => [{ org: metadata.org, wallet: metadata.id, user: data.user }]

const on: Handlers<Row, typeof events> = {
  ...NO_POSTINGS,
  EntryPosted: null,
  AccessGranted: {
    keys: keyOf,
    fold: (_, { data, revision, metadata: { org, id, at, actor } }) => ({
      org,
      wallet: id,
      user: data.user,
      right: data.right,
      granted_by: actor.subject,
      revision,
      granted_at: at,
    }),
  },
  AccessRevoked: { keys: keyOf, fold: () => null },
}

/** One row per user that a wallet names. */
export const walletUsers = projection({
  name: 'wallet_users',
  service: 'wallet',
  version: 1,
  history: true,
  of: { wallet: events },
  row,
  key: ['org', 'wallet', 'user'],
  on,
  reads: [
    {
      one: 'wallet user',
      many: 'wallet users',
      path: '/wallets/:id/users',
      permission: 'users.read',
      parents: { id: 'wallet' },
      within: wallets,
      names: ['user'],
      order: ['user'],
      walked: ['right'],
      groups: ['right', 'granted_at'],
      summary: { list: 'The users that a wallet names, with their rights.', get: 'A user that a wallet names.' },
    },
  ],
})
