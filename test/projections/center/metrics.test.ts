import { metrics } from '../../../projections/center/metrics.ts'
import { rowsFor } from '../../support/rows-spec.ts'

const fields = { name: 'Visitors', direction: 'up', target: 120 }
const added = { type: 'MetricAdded', data: { ...fields, owner: 'user-1' } }

describe('rows: metrics', () => {
  it('has a row for each metric', async () => {
    const { given } = rowsFor(metrics)
    await given(added).then({ id: 'thing-1', ...fields })
    await given(added, { type: 'MetricRemoved', data: {} }).then()
  })
})
