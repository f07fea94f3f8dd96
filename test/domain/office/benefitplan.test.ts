import { benefitPlan } from '../../../domain/office/benefitplan/benefitplan.ts'
import { specFor } from '../../support/spec.ts'

const plain = { name: 'Pension', kind: 'retirement', portable: true }
const added = { type: 'BenefitPlanAdded', data: { ...plain, owner: 'user-1' } }

describe('benefit plan', () => {
  const { given } = specFor(benefitPlan)

  it('is added, changed and removed', () => {
    given().when('add', plain).then(added)
    const vesting = { cliff_months: 12, months: 48 }
    given(added).when('change', { vesting }).then({ type: 'BenefitPlanChanged', data: { vesting } })
    given(added).when('remove', {}).then({ type: 'BenefitPlanRemoved', data: {} })
  })
})
