import type { z } from 'zod'
import {
  column,
  currency,
  date,
  id,
  integer,
  jsonObject,
  list,
  minorUnits,
  object,
  text,
  timestamp,
  unsigned64,
} from '../../domain/kernel/schema.ts'
import { DEVIATIONS_MAX } from '../../domain/wallet/wallet/chart.ts'
import { EXTERNAL, entryKind, POSTINGS_MAX, said, usedRate } from '../../domain/wallet/wallet/fields.ts'
import { events } from '../../domain/wallet/wallet/messages.ts'
import { type Handlers, projection } from '../rows/projection.ts'
import { tableOf } from '../rows/tables.ts'
import { NO_POSTINGS } from './no-postings.ts'
import { wallets } from './wallets.ts'

const row = object({
  org: id('org'),
  wallet: id('wallet'),
  revision: unsigned64,
  position: unsigned64,
  id: id('entry'),
  kind: entryKind,
  effective_on: date,
  description: said.description,
  reference: said.reference,
  counterparty: text(255)
    .optional()
    .meta({ description: 'who is on the other side: as the entry names it, or its only external account' }),
  project: id('project').optional(),
  tags: list(text(64), 50),
  metadata: jsonObject.optional(),
  accounts: list(text(255), POSTINGS_MAX).meta({ description: 'the accounts of its postings, each once' }),
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
  conversion: column(usedRate, 'jsonb').optional().meta({ description: 'the rate that a conversion used' }),
  source: text(255).optional(),
  reverses: id('entry').optional(),
  replaces: id('entry').optional(),
  taken_back: integer(2, POSTINGS_MAX)
    .optional()
    .meta({ description: 'how many of the postings, the first ones, take back the entry that it stands for' }),
  deviations: list(text(600), DEVIATIONS_MAX)
    .optional()
    .meta({ description: 'how it deviates from the chart of accounts' }),
  posted_by: text(128),
  posted_at: timestamp,
})

const on: Handlers<z.output<typeof row>, typeof events> = {
  ...NO_POSTINGS,
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
        reference: data.reference,
        counterparty: data.counterparty ?? externalOf(data.postings),
        project: data.project,
        tags: data.tags ?? [],
        metadata: data.metadata,
        accounts: [...new Set(data.postings.map(({ account }) => account))],
        postings: data.postings.map(({ effectiveOn, ...posting }) => ({
          ...posting,
          ...(effectiveOn !== undefined && { effective_on: effectiveOn }),
        })),
        conversion: data.conversion,
        source: data.source,
        reverses: data.reverses,
        replaces: data.replaces,
        taken_back: data.takenBack,
        deviations: data.deviations,
        posted_by: actor.subject,
        posted_at: at,
      },
    ],
  },
}

/** The external account of the postings, where there is one alone. */
function externalOf(postings: readonly { readonly account: string }[]): string | undefined {
  const [only, ...others] = new Set(postings.map(({ account }) => account).filter(name => name.startsWith(EXTERNAL)))
  return others.length === 0 ? only : undefined
}

const SEARCHED = [
  'kind',
  'effective_on',
  'posted_at',
  'posted_by',
  'reference',
  'counterparty',
  'project',
  'tags',
  'metadata',
  'accounts',
  'source',
  'reverses',
  'replaces',
  'deviations',
] as const

const named = { name: 'entries', version: 4 }

/** One row per entry, with its postings: the journal. */
export const entries = projection({
  ...named,
  service: 'wallet',
  history: false,
  of: { wallet: events },
  row,
  key: ['org', 'wallet', 'revision'],
  lookups: ['reverses'],
  // The order of books (read-api/wallet/books).
  indexes: [['org', 'wallet', 'effective_on', 'revision']],
  on,
  computed: {
    reversed_by: {
      schema: id('entry').optional().meta({ description: 'id of the entry that takes this one back' }),
      of: [],
      isDaily: false,
      sql: (
        row,
        _,
        then,
      ) => `(select r.id from ${tableOf(named)} r where r.org = ${row}.org and r.wallet = ${row}.wallet
        and r.reverses = ${row}.id${then === undefined ? '' : ` and r.position <= ${then}::bigint`}
        order by r.revision limit 1)`,
    },
  },
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
      walked: SEARCHED,
      groups: ['kind', 'effective_on', 'posted_at', 'posted_by', 'counterparty', 'project', 'reference'],
      summary: { list: 'The entries of a wallet with their postings, in the order of posting.' },
    },
    {
      one: 'entry',
      many: 'entries',
      path: '/entries',
      permission: 'entries.read',
      names: ['id'],
      order: ['position'],
      walked: ['wallet', ...SEARCHED],
      groups: ['wallet', 'kind', 'effective_on', 'posted_at', 'posted_by', 'counterparty', 'project', 'reference'],
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
