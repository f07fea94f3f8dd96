import type { z } from 'zod'
import {
  currency,
  date,
  id,
  list,
  minorUnits,
  object,
  oneOf,
  text,
  timestamp,
  unsigned64,
} from '../../domain/kernel/schema.ts'
import { events, POSTINGS_MAX } from '../../domain/wallet/wallet/messages.ts'
import { type Handlers, projection } from '../rows/projection.ts'

const row = object({
  org: id('org'),
  wallet: id('wallet'),
  revision: unsigned64,
  position: unsigned64,
  id: id('entry'),
  kind: oneOf('credit', 'debit', 'journal'),
  effective_on: date,
  description: text(1000).optional(),
  postings: list(object({ account: text(255), currency, amount: minorUnits }), POSTINGS_MAX),
  posted_by: text(128),
  posted_at: timestamp,
})

const on: Handlers<z.output<typeof row>, typeof events> = {
  WalletOpened: null,
  AccountOpened: null,
  EntryPosted: {
    append: ({ data, metadata: { org, id, at, actor }, revision, position }) => [
      {
        org,
        wallet: id,
        revision,
        position,
        id: data.entry,
        kind: data.kind,
        effective_on: data.effectiveOn,
        description: data.description,
        postings: data.postings,
        posted_by: actor.subject,
        posted_at: at,
      },
    ],
  },
  WalletClosed: null,
}

/** One row per entry, with its postings: the journal. */
export const entries = projection({
  name: 'entries',
  version: 1,
  history: false,
  of: { wallet: events },
  row,
  key: ['org', 'wallet', 'revision'],
  indexes: [
    ['org', 'position'],
    ['org', 'id'],
  ],
  on,
})
