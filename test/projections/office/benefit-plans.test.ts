import { benefitPlans } from '../../../projections/office/benefit-plans.ts'
import { rowsFor } from '../../support/rows-spec.ts'

const plain = { name: 'Pension', kind: 'retirement', portable: true }
const added = { type: 'BenefitPlanAdded', data: { ...plain, owner: 'user-1' } }
const changed = { type: 'BenefitPlanChanged', data: { portable: false } }

describe('rows: benefit plans', () => {
  const { given } = rowsFor(benefitPlans)

  it('are the fields of each, until it is removed', async () => {
    await given(added).then({ id: 'thing-1', ...plain, owner: 'user-1' })
    await given(added, changed).then({ ...plain, ...changed.data })
    await given(added, { type: 'BenefitPlanRemoved', data: {} }).then()
  })
})
