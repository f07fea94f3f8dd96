import { strategicPlans } from '../../../projections/center/plans.ts'
import { rowsFor } from '../../support/rows-spec.ts'

const fields = { name: 'A shop', timeframe_start: '2027-01-01', timeframe_end: '2027-12-31' }
const added = { type: 'StrategicPlanAdded', data: { ...fields, owner: 'user-1' } }

describe('rows: plans', () => {
  it('has a row for each strategic plan', async () => {
    const { given } = rowsFor(strategicPlans)
    await given(added).then({ id: 'thing-1', ...fields })
    await given(added, { type: 'StrategicPlanRemoved', data: {} }).then()
  })
})
