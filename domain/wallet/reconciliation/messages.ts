/** The storage and wire contract of a reconciliation: add, never rename; change a shape with an upcaster. */
import { currency, date, id, integer, list, minorUnits, object, ref, text } from '../../kernel/schema.ts'
import { reason } from '../../record/reason.ts'

const account = text(255).meta({ description: 'an account of the wallet' })
const places = integer(0, 30).meta({ description: 'decimal places of its amounts: those of ISO 4217, if left out' })
const about = {
  account,
  currency,
  places: places.optional(),
  statement: text(255).meta({ description: 'what the bank calls the statement: its number, or its month' }),
  to: date.meta({ description: 'the last day of the statement' }),
  opening: minorUnits.meta({ description: 'the balance that the statement begins with' }),
  closing: minorUnits.meta({ description: 'the balance that the statement ends with' }),
}
const line = object({
  entry: id('entry'),
  amount: minorUnits.meta({ description: 'what the statement shows for it: above zero where money came in' }),
})
const differences = list(object({ amount: minorUnits, reason }), 100).meta({
  description: 'what the bank has and the books do not: a cheque that is not cashed yet, a fee that is in dispute',
})
const of = { wallet: id('wallet'), account, currency }

export const events = {
  ReconciliationOpened: object({ wallet: id('wallet'), ...about }),
  EntriesCleared: object({ ...of, lines: list(line, 500, 1) }),
  EntriesUncleared: object({ lines: list(line, 500, 1) }),
  /** All differences that are explained, instead of those before. */
  DifferencesExplained: object({ differences }),
  ReconciliationFinished: object({}),
  ReconciliationReopened: object({}),
} as const

export const commands = {
  open: object({ id: id('reconciliation').optional(), wallet: ref('wallet'), ...about }).meta({
    examples: [
      {
        id: 'march',
        wallet: 'studio',
        account: 'checking',
        currency: 'EUR',
        statement: '2026-03',
        to: '2026-03-31',
        opening: '0',
        closing: '120800',
      },
    ],
  }),
  clear: object({ lines: list(line, 500, 1) }).meta({
    examples: [{ lines: [{ entry: '7d0c4b0e-3c57-5b0e-9a1f-2f7a5d1f0c11', amount: '125000' }] }],
  }),
  unclear: object({ entries: list(id('entry'), 500, 1) }).meta({
    examples: [{ entries: ['c1b1f6a2-8a55-5d1c-8f60-0f4f3a3f7b21'] }],
  }),
  explain: object({ differences }).meta({
    examples: [{ differences: [{ amount: '-4200', reason: 'The paper is paid next month' }] }],
  }),
  finish: object({}),
  reopen: object({}),
} as const

export const rejections = [
  'reconciliation_already_opened',
  'reconciliation_finished',
  'reconciliation_full',
  'entry_cleared_otherwise',
  'difference_unexplained',
] as const
