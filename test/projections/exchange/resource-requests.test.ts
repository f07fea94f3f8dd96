import { resourceRequests } from '../../../projections/exchange/resource-requests.ts'
import { rowsFor } from '../../support/rows-spec.ts'

describe('rows: resource requests', () => {
  it('are what is looked for', () => {
    const time = { units: 4, unit: 'hours', from: '2026-12-01', to: '2026-12-11' }
    const request = { title: 'x', traits: ['ink'], ...time, status: 'open', owner: 'user-1' }
    return rowsFor(resourceRequests).given({ type: 'ResourceRequestAdded', data: request }).then(request)
  })
})
