import { measurement } from '../../../domain/center/measurement/measurement.ts'
import { specFor } from '../../support/spec.ts'

const { given } = specFor(measurement)
const fields = { metric: 'visitors', value: 96.5, measured_at: '2026-11-20T18:00:00.000Z' }
const added = { type: 'MeasurementAdded', data: { ...fields, owner: 'user-1' } } as const

describe('measurement', () => {
  it('is added with its fields, and removed', () => {
    given().when('add', fields).then(added)
    given(added).when('remove', {}).then({ type: 'MeasurementRemoved', data: {} })
  })
})
