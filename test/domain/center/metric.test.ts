import { metric } from '../../../domain/center/metric/metric.ts'
import { specFor } from '../../support/spec.ts'

const { given } = specFor(metric)
const fields = { name: 'Visitors', direction: 'up', target: 120 }
const added = { type: 'MetricAdded', data: { ...fields, owner: 'user-1' } } as const

describe('metric', () => {
  it('is added with its fields, and removed', () => {
    given().when('add', fields).then(added)
    given(added).when('remove', {}).then({ type: 'MetricRemoved', data: {} })
  })
})
