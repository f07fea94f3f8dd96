import { measurements } from '../../../projections/center/measurements.ts'
import { rowsFor } from '../../support/rows-spec.ts'

const fields = { metric: 'visitors', value: 96.5, measured_at: '2026-11-20T18:00:00.000Z' }
const added = { type: 'MeasurementAdded', data: { ...fields, owner: 'user-1' } }

describe('rows: measurements', () => {
  it('has a row for each measurement', async () => {
    const { given } = rowsFor(measurements)
    await given(added).then({ id: 'thing-1', ...fields })
    await given(added, { type: 'MeasurementRemoved', data: {} }).then()
  })
})
