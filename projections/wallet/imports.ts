import type { z } from 'zod'
import { id, integer, list, object, oneOf, text, timestamp, unsigned64 } from '../../domain/kernel/schema.ts'
import { events, MATCHES_MAX, STATEMENTS_MAX, statementSummary } from '../../domain/wallet/import/messages.ts'
import { STATEMENT_FORMATS } from '../../domain/wallet/statement/file.ts'
import { type Handlers, projection } from '../rows/projection.ts'
import { changed } from '../rows/thing.ts'

const count = integer(0, 2_147_483_647)
const row = object({
  org: id('org'),
  id: id('import'),
  wallet: id('wallet'),
  status: oneOf('started', 'booked', 'undoing', 'undone'),
  name: text(255),
  format: oneOf(...STATEMENT_FORMATS),
  sha256: text(64),
  rows: count.meta({ description: 'rows of the file' }),
  pending: count.meta({ description: 'rows that the bank had not booked, which were left out' }),
  there: count.meta({ description: 'rows that another import had booked' }),
  entries: count.meta({ description: 'entries that were booked, or are being booked' }),
  statements: list(statementSummary, STATEMENTS_MAX),
  matched: list(object({ row: text(100), entry: id('entry') }), MATCHES_MAX),
  reason: text(1000).optional().meta({ description: 'why it was taken back' }),
  started_by: text(128),
  revision: unsigned64,
  started_at: timestamp,
  updated_at: timestamp,
})
type Row = z.output<typeof row>

const on: Handlers<Row, typeof events> = {
  ImportStarted: {
    keys: ({ metadata: { org, id } }) => [{ org, id }],
    fold: (_, { data, metadata: { org, id, at, actor }, revision }) => ({
      ...data,
      org,
      id,
      status: 'started',
      started_by: actor.subject,
      revision,
      started_at: at,
      updated_at: at,
    }),
  },
  ImportBooked: changed(({ entries }) => ({ status: 'booked', entries })),
  ImportUndoStarted: changed(({ reason }) => ({ status: 'undoing', reason })),
  ImportUndone: changed(() => ({ status: 'undone' })),
}

/** One row per import of a bank statement, those that were taken back too. */
export const imports = projection({
  name: 'imports',
  service: 'wallet',
  version: 1,
  history: true,
  of: { import: events },
  row,
  key: ['org', 'id'],
  on,
  reads: [
    {
      one: 'import',
      many: 'imports',
      path: '/imports',
      permission: 'imports.read',
      names: ['id'],
      order: ['id'],
      filters: ['wallet', 'status', 'format', 'sha256', 'started_at'],
      groups: ['wallet', 'status', 'format', 'started_at'],
      sums: ['entries', 'rows'],
      summary: {
        list: 'The bank statements that were imported into wallets.',
        get: 'An import of a bank statement: what was read, booked, matched and taken back.',
      },
    },
  ],
})
