import type { z } from 'zod'
import { currency, id, minorUnits, object, text, timestamp, unsigned64 } from '../../domain/kernel/schema.ts'
import { events } from '../../domain/wallet/reconciliation/messages.ts'
import { type Handlers, projection } from '../rows/projection.ts'
import { tableOf } from '../rows/tables.ts'
import { balances } from './balances.ts'
import { entries } from './entries.ts'
import { postings } from './postings.ts'
import { reconciliations } from './reconciliations.ts'

const row = object({
  org: id('org'),
  reconciliation: id('reconciliation'),
  entry: id('entry'),
  wallet: id('wallet'),
  account: text(255),
  currency,
  amount: minorUnits.meta({ description: 'what the statement shows for it' }),
  revision: unsigned64,
  cleared_at: timestamp,
})

const on: Handlers<z.output<typeof row>, typeof events> = {
  ReconciliationOpened: null,
  EntriesCleared: {
    keys: ({ data: { lines }, metadata: { org, id } }) =>
      lines.map(({ entry }) => ({ org, reconciliation: id, entry })),
    fold: (_, { data: { lines, ...of }, metadata: { org, id, at }, revision }, key) => ({
      org,
      reconciliation: id,
      ...of,
      ...lines.find(({ entry }) => entry === key.entry)!,
      revision,
      cleared_at: at,
    }),
  },
  EntriesUncleared: {
    keys: ({ data: { lines }, metadata: { org, id } }) =>
      lines.map(({ entry }) => ({ org, reconciliation: id, entry })),
    fold: () => null,
  },
  DifferencesExplained: null,
  ReconciliationFinished: null,
  ReconciliationReopened: null,
}

/** One row per entry that a bank statement shows. */
export const clearedEntries = projection({
  name: 'cleared_entries',
  service: 'wallet',
  version: 2,
  history: true,
  of: { reconciliation: events },
  row,
  key: ['org', 'reconciliation', 'entry'],
  // By which entries are found that no reconciliation of the account has cleared (read-api/wallet/uncleared.ts).
  indexes: [['org', 'wallet', 'account', 'currency', 'entry']],
  on,
  computed: {
    posted: {
      schema: minorUnits.optional().meta({
        description:
          'what the books have for it in this account, in minor units: other than `amount`, it is not the same; ' +
          'absent where the account has no such entry',
      }),
      of: [entries, postings, balances],
      isDaily: false,
      sql: row => `(select
        trunc(sum(p.amount * ('1e' || (b.minor_places - coalesce(p.places, b.minor_places)))::numeric))
        from ${tableOf(entries)} e
        join ${tableOf(postings)} p on p.org = e.org and p.wallet = e.wallet and p.account = ${row}.account
          and p.currency = ${row}.currency and p.revision = e.revision
        join ${tableOf(balances)} b on b.org = e.org and b.wallet = e.wallet and b.account = p.account
          and b.currency = p.currency
        where e.org = ${row}.org and e.id = ${row}.entry and e.wallet = ${row}.wallet)`,
    },
  },
  reads: [
    {
      one: 'cleared entry',
      many: 'cleared entries',
      path: '/reconciliations/:id/lines',
      permission: 'reconciliations.read',
      parents: { id: 'reconciliation' },
      within: reconciliations,
      names: [],
      order: ['entry'],
      groups: ['currency', 'cleared_at'],
      sums: ['amount'],
      summary: { list: 'The entries that a bank statement shows, with what it shows and what the books have.' },
    },
  ],
})
