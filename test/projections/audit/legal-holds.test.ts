import { legalHolds } from '../../../projections/audit/legal-holds.ts'
import { rowsFor } from '../../support/rows-spec.ts'

const held = { subject: 'jon', matter: 'case' }
const placed = { type: 'LegalHoldPlaced', data: { ...held, reason: 'A court asked.' } }
const lifted = { type: 'LegalHoldLifted', data: { ...held, reason: 'It is closed.' } }

describe('rows: legal holds', () => {
  const { given } = rowsFor(legalHolds)

  it('say who placed and lifted them, and why', async () => {
    const row = { ...held, reason: 'A court asked.', placed_by: 'user-1' }
    await given(placed).then({ ...row, status: 'placed', lifted_at: undefined })
    await given(placed, lifted).then({
      ...row,
      status: 'lifted',
      lifted_by: 'user-1',
      lifted_because: 'It is closed.',
    })
    await given(placed, lifted, placed).then({ ...row, status: 'placed', lifted_at: undefined })
  })
})
