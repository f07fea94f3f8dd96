import { clearedEntries } from '../../../projections/wallet/cleared-entries.ts'
import { reconciliations } from '../../../projections/wallet/reconciliations.ts'
import { rowsFor } from '../../support/rows-spec.ts'

const of = { wallet: 'studio', account: 'checking', currency: 'EUR' }
const about = { ...of, statement: '2026-03', to: '2026-03-31', opening: 100n, closing: 250n }
const lines = [
  { entry: 'e1', amount: 200n },
  { entry: 'e2', amount: -45n },
]
const facts = [
  { type: 'ReconciliationOpened', data: about },
  { type: 'EntriesCleared', data: { ...of, lines } },
]

describe('rows: reconciliations', () => {
  it('say what is cleared, and what is left to explain', async () => {
    const { given } = rowsFor(reconciliations)
    await given(...facts).then({ ...about, status: 'open', cleared: 155n, entries: 2, difference: -5n })
    const explained = (amount: bigint) => ({
      type: 'DifferencesExplained',
      data: { differences: [{ amount, reason: 'x' }] },
    })
    await given(...facts, explained(-4n)).then({ difference: -1n })
    await given(...facts, explained(-4n), explained(-5n), { type: 'ReconciliationFinished', data: {} }).then({
      difference: 0n,
      status: 'finished',
    })
    await given(...facts, { type: 'EntriesUncleared', data: { lines: lines.slice(1) } }).then({
      cleared: 200n,
      entries: 1,
      difference: -50n,
    })
  })
  it('have a row for each entry that is cleared', async () => {
    const { given } = rowsFor(clearedEntries)
    await given(...facts).then({ ...of, entry: 'e1', amount: 200n }, { ...of, entry: 'e2', amount: -45n })
    await given(...facts, { type: 'EntriesUncleared', data: { lines: lines.slice(1) } }).then({ entry: 'e1' })
  })
})
