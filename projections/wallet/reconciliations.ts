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
import { events } from '../../domain/wallet/reconciliation/messages.ts'
import { type Handlers, projection } from '../rows/projection.ts'
import { changed, made } from '../rows/thing.ts'

const row = object({
  org: id('org'),
  id: id('reconciliation'),
  wallet: id('wallet'),
  account: text(255),
  currency,
  places: integer(0, 30).optional(),
  statement: text(255),
  to: date,
  status: oneOf('open', 'finished'),
  opening: minorUnits,
  closing: minorUnits,
  cleared: minorUnits.meta({ description: 'the sum of the entries that are cleared' }),
  entries: integer(0, 10_000).meta({ description: 'how many those are' }),
  differences: list(object({ amount: minorUnits, reason: text(1000) }), 100),
  difference: minorUnits.meta({ description: 'what is neither cleared nor explained: zero when it can be finished' }),
  revision: unsigned64,
  opened_at: timestamp,
  updated_at: timestamp,
})
type Row = z.output<typeof row>

const sum = (parts: readonly { readonly amount: bigint }[]) => parts.reduce((sum, { amount }) => sum + amount, 0n)

/** The row with more, or fewer, cleared entries. */
const cleared = (row: Row, lines: readonly { readonly amount: bigint }[], sign: 1 | -1) => ({
  cleared: row.cleared + BigInt(sign) * sum(lines),
  entries: row.entries + sign * lines.length,
  difference: row.difference - BigInt(sign) * sum(lines),
})

const on: Handlers<Row, typeof events> = {
  ReconciliationOpened: made((data, at) => ({
    ...data,
    status: 'open',
    cleared: 0n,
    entries: 0,
    differences: [],
    difference: data.closing - data.opening,
    opened_at: at,
  })),
  EntriesCleared: changed(({ lines }, row) => cleared(row, lines, 1)),
  EntriesUncleared: changed(({ lines }, row) => cleared(row, lines, -1)),
  DifferencesExplained: changed(({ differences }, row) => ({
    differences,
    difference: row.difference + sum(row.differences) - sum(differences),
  })),
  ReconciliationFinished: changed(() => ({ status: 'finished' })),
  ReconciliationReopened: changed(() => ({ status: 'open' })),
}

/** One row per reconciliation of an account with a bank statement. */
export const reconciliations = projection({
  name: 'reconciliations',
  service: 'wallet',
  version: 1,
  history: true,
  of: { reconciliation: events },
  row,
  key: ['org', 'id'],
  on,
  reads: [
    {
      one: 'reconciliation',
      many: 'reconciliations',
      path: '/reconciliations',
      permission: 'reconciliations.read',
      names: ['id'],
      order: ['id'],
      filters: ['wallet', 'status', 'to'],
      walked: ['account', 'currency'],
      groups: ['wallet', 'account', 'currency', 'status', 'to'],
      summary: {
        list: 'The reconciliations of accounts with bank statements.',
        get: 'A reconciliation of an account with a bank statement.',
      },
    },
  ],
})
