import { imports } from '../../../projections/wallet/imports.ts'
import { rowsFor } from '../../support/rows-spec.ts'

const read = {
  wallet: 'studio',
  name: 'january.sta',
  format: 'mt940',
  sha256: '5d41402abc4b2a76b9719d911017c5925d41402abc4b2a76b9719d911017c592',
  statements: [
    { bank_account: 'DE1', account: 'assets:bank', currency: 'EUR', places: 2, sum: 12500n, gap: 100n, rows: 2 },
  ],
  rows: 3,
  pending: 1,
  there: 0,
  entries: 2,
  matched: [{ row: 'bank:5d41:1', entry: 'e1' }],
}
const started = { type: 'ImportStarted', data: read, id: 'import-1' }
const booked = { type: 'ImportBooked', data: { entries: 2 }, id: 'import-1' }
const undoing = { type: 'ImportUndoStarted', data: { reason: 'Wrong account' }, id: 'import-1' }

describe('rows: imports', () => {
  it('say what was read, with gaps, and what was booked', () =>
    rowsFor(imports)
      .given(started, booked)
      .then({ id: 'import-1', wallet: 'studio', status: 'booked', name: 'january.sta', entries: 2, pending: 1 }))

  it('say why an import was taken back', () =>
    rowsFor(imports)
      .given(started, booked, undoing, { type: 'ImportUndone', data: { entries: 2 }, id: 'import-1' })
      .then({ status: 'undone', reason: 'Wrong account', revision: 3n }))
})
