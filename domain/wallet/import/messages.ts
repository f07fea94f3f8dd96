/** The storage contract of an import of a bank statement: add, never rename; change a shape with an upcaster. */
import { currency, date, id, integer, list, minorUnits, object, oneOf, text } from '../../kernel/schema.ts'
import { reason } from '../../record/reason.ts'
import { STATEMENT_FORMATS } from '../statement/file.ts'

/** Statements and matches that one import can have. */
export const STATEMENTS_MAX = 1000
export const MATCHES_MAX = 2000

const count = integer(0, 2_147_483_647)
const name = text(255).meta({ description: 'name of the file' })

/** What was read of one statement. Amounts are in units of `places` decimal places. */
export const statementSummary = object({
  bank_account: text(255).meta({ description: 'the account as the bank names it' }),
  account: text(255).meta({ description: 'the account of the wallet' }),
  currency,
  places: integer(0, 30),
  number: text(255).optional().meta({ description: "the bank's number of the statement" }),
  from: date.optional(),
  to: date.optional(),
  opening: minorUnits.optional(),
  closing: minorUnits.optional(),
  sum: minorUnits.meta({ description: 'what its booked rows add up to' }),
  gap: minorUnits
    .optional()
    .meta({ description: 'closing − opening − sum: other than 0, the file contradicts itself' }),
  rows: count,
})
const matched = list(object({ row: text(100), entry: id('entry') }), MATCHES_MAX)

const read = {
  wallet: id('wallet'),
  name,
  format: oneOf(...STATEMENT_FORMATS),
  sha256: text(64).meta({ description: 'SHA-256 of the file' }),
  statements: list(statementSummary, STATEMENTS_MAX),
  rows: count.meta({ description: 'rows of the file' }),
  pending: count.meta({ description: 'rows that the bank has not booked, which are left out' }),
  there: count.meta({ description: 'rows that an import booked before' }),
  entries: count.meta({ description: 'entries to book, those of opening balances included' }),
  matched: matched.meta({ description: 'rows that stand for entries which were in the wallet already' }),
}
const why = { reason: reason.optional() }

export const events = {
  /** The file was read and decided; its entries follow in the wallet. */
  ImportStarted: object(read),
  ImportBooked: object({ entries: count }),
  ImportUndoStarted: object(why),
  /** Each entry of the import was taken back. */
  ImportUndone: object({ entries: count }),
} as const

export const commands = {
  start: object(read),
  finish: object({ entries: count }),
  undo: object(why),
  finishUndo: object({ entries: count }),
} as const

export const rejections = ['import_already_started', 'import_undone'] as const
