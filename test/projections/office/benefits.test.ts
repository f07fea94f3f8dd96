import { benefits } from '../../../projections/office/benefits.ts'
import { rowsFor } from '../../support/rows-spec.ts'

const plain = { plan: 'pension', member: 'mira', starts_on: '2026-01-31', currency: 'EUR' }
const added = { type: 'BenefitAdded', data: { ...plain, owner: 'user-1' } }
const changed = { type: 'BenefitChanged', data: { ends_on: '2027-01-31' } }

describe('rows: benefits', () => {
  const { given } = rowsFor(benefits)

  it('are the fields of each, until it is removed', async () => {
    await given(added).then({ id: 'thing-1', ...plain, owner: 'user-1' })
    await given(added, changed).then({ ...plain, ...changed.data })
    await given(added, { type: 'BenefitRemoved', data: {} }).then()
  })
})
