import { centers } from '../../../projections/center/centers.ts'
import { rowsFor } from '../../support/rows-spec.ts'

describe('rows: centers', () => {
  it('has a row for a center', () =>
    rowsFor(centers)
      .given({ type: 'CenterAdded', data: { name: 'Studio', type: 'team', owner: 'user-1' } })
      .then({ id: 'thing-1', name: 'Studio', type: 'team' }))
})
