import { allocations } from '../../../projections/exchange/allocations.ts'
import { capacities } from '../../../projections/exchange/capacities.ts'
import { rowsFor } from '../../support/rows-spec.ts'

const days = { units: 4, from: '2026-12-01', to: '2026-12-11' }
const offered = {
  type: 'CapacityOffered',
  data: { title: 'x', traits: ['ink'], unit: 'hours', ...days, provider: 'mira' },
}
const taken = { allocation: '6f1d3c0a-5b8e-4f77-96c2-a4e1d0b37f58', ...days }
const allocated = { type: 'CapacityAllocated', data: { ...taken, request: 'r', by: 'jon' } }

describe('rows: capacities', () => {
  it('are there until they are withdrawn', () =>
    rowsFor(capacities)
      .given(offered, { type: 'CapacityWithdrawn', data: {} })
      .then({ ...offered.data, status: 'withdrawn' }))

  it('have allocations until these are released', async () => {
    const { given } = rowsFor(allocations)
    await given(offered, allocated).then({ capacity: 'thing-1', request: 'r', allocated_by: 'jon', ...taken })
    await given(offered, allocated, { type: 'AllocationReleased', data: taken }).then()
  })
})
