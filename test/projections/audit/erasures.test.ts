import { erasures } from '../../../projections/audit/erasures.ts'
import { rowsFor } from '../../support/rows-spec.ts'

const why = { basis: 'consent_withdrawn', reason: 'Asked for it.' }
const erased = { type: 'SubjectErased', data: { subject: 'jon', ...why } }

describe('rows: erasures', () => {
  const { given } = rowsFor(erasures)

  it('are receipts: why a person was erased, and when it was done', async () => {
    const done = { type: 'ErasureCompleted', data: { subject: 'jon', keys: 1, files: 2 } }
    await given(erased).then({ subject: 'jon', ...why, erased_by: 'user-1' })
    await given(erased, done).then({ subject: 'jon', ...why, erased_by: 'user-1', keys: 1, files: 2 })
  })
})
