import { strategicPlan } from '../../../domain/center/strategicplan/strategicplan.ts'
import { specFor } from '../../support/spec.ts'

const { given } = specFor(strategicPlan)
const fields = { name: 'A shop', timeframe_start: '2027-01-01', timeframe_end: '2027-12-31' }
const added = { type: 'StrategicPlanAdded', data: { ...fields, owner: 'user-1' } } as const

describe('strategic plan', () => {
  it('is added with its fields, and removed', () => {
    given().when('add', fields).then(added)
    given(added).when('remove', {}).then({ type: 'StrategicPlanRemoved', data: {} })
  })
})
