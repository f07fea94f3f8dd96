import type { z } from 'zod'
import {
  currency,
  date,
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
import { events, POSTINGS_MAX } from '../../domain/wallet/wallet/messages.ts'
import { type Handlers, projection } from '../rows/projection.ts'
import { wallets } from './wallets.ts'

const row = object({
  org: id('org'),
  wallet: id('wallet'),
  revision: unsigned64,
  position: unsigned64,
  id: id('entry'),
  kind: oneOf('credit', 'debit', 'journal'),
  effective_on: date,
  description: text(1000).optional(),
  postings: list(
    object({
      account: text(255),
      currency,
      amount: minorUnits,
      places: integer(0, 30)
        .optional()
        .meta({ description: 'decimal places of the amount, where finer than the `minor_places` of its account' }),
      effective_on: date.optional().meta({ description: 'day that this posting counts for, where another' }),
    }),
    POSTINGS_MAX,
  ),
  source: text(255).optional(),
  reverses: id('entry').optional(),
  replaces: id('entry').optional(),
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
        postings: data.postings.map(({ effectiveOn, ...posting }) => ({
          ...posting,
          ...(effectiveOn !== undefined && { effective_on: effectiveOn }),
        })),
        source: data.source,
        reverses: data.reverses,
        replaces: data.replaces,
        posted_by: actor.subject,
        posted_at: at,
      },
    ],
  },
  FundsHeld: null,
  HoldCaptured: null,
  HoldReleased: null,
  WalletChanged: null,
  AccountOverdraftChanged: null,
  AccountClosed: null,
  AccountReopened: null,
  WalletClosed: null,
}

/** One row per entry, with its postings: the journal. */
export const entries = projection({
  name: 'entries',
  service: 'wallet',
  version: 2,
  history: false,
  of: { wallet: events },
  row,
  key: ['org', 'wallet', 'revision'],
  on,
  reads: [
    {
      one: 'wallet entry',
      many: 'wallet entries',
      path: '/wallets/:id/entries',
      permission: 'entries.read',
      parents: { id: 'wallet' },
      within: wallets,
      names: [],
      order: ['revision'],
      groups: ['kind', 'effective_on', 'posted_at', 'posted_by'],
      summary: { list: 'The entries of a wallet with their postings, in the order of posting.' },
    },
    {
      one: 'entry',
      many: 'entries',
      path: '/entries',
      permission: 'entries.read',
      names: ['id'],
      order: ['position'],
      groups: ['wallet', 'kind', 'effective_on', 'posted_at', 'posted_by'],
      summary: { list: 'The journal of all wallets, in the order of posting.', get: 'An entry with its postings.' },
    },
  ],
  memory: {
    kind: 'entry',
    on: {
      EntryPosted: {
        once: ({ entry, description }) => (description === undefined ? null : { subject: entry, title: description }),
      },
    },
  },
})
