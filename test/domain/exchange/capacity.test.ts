import { capacity } from '../../../domain/exchange/capacity/capacity.ts'
import { specFor } from '../../support/spec.ts'

const asked = { title: 'A hand', traits: ['ink'], units: 6, unit: 'hours', from: '2026-11-01', to: '2026-12-31' }
const offered = { type: 'CapacityOffered', data: { ...asked, provider: 'mira' } } as const
const withdrawn = { type: 'CapacityWithdrawn', data: {} } as const
const mira = { actor: 'mira' }
const taken = (allocation: string, units: number, from: string, to: string) =>
  ({ type: 'CapacityAllocated', data: { allocation, request: 'r', by: 'mira', units, from, to } }) as const
const [A, B] = ['6f1d3c0a-5b8e-4f77-96c2-a4e1d0b37f58', '6f1d3c0a-5b8e-4f77-96c2-a4e1d0b37f59'] as const
const first = taken(A, 4, '2026-11-10', '2026-11-20')
const second = taken(B, 4, '2026-11-21', '2026-11-30')

describe('capacity', () => {
  const { given } = specFor(capacity)
  const ask = (units: number, from: string, to: string) =>
    given(offered, first, second).when('allocate', { request: 'r', units, from, to }, { ...mira, newId: () => B })

  it('is offered once, at whole terms, and withdrawn by its provider', () => {
    given().when('offer', asked, mira).then(offered)
    given(offered).when('offer', asked, mira).rejects('capacity_already_offered')
    given()
      .when('offer', { ...asked, to: '2026-10-01' }, mira)
      .rejects('capacity_terms_invalid')
    given()
      .when('offer', { ...asked, rate: 1n }, mira)
      .rejects('capacity_terms_invalid')
    given()
      .when('offer', { ...asked, rate: 1n, currency: 'BEANS' }, mira)
      .rejects('capacity_places_unknown')
    given()
      .when('offer', { ...asked, rate: 1n, currency: 'EUR', places: 3 }, mira)
      .rejects('capacity_places_mismatch')
    given(offered).when('withdraw', {}, mira).then(withdrawn)
    given(offered, withdrawn).when('withdraw', {}, mira).changesNothing()
    given(offered).when('withdraw', {}).rejects('capacity_of_another')
  })

  it('has no more allocated on any day than there is', () => {
    ask(2, '2026-11-01', '2026-12-31').then(taken(B, 2, '2026-11-01', '2026-12-31'))
    ask(3, '2026-11-01', '2026-12-31').rejects('capacity_not_enough')
    ask(3, '2026-11-30', '2026-12-31').rejects('capacity_not_enough')
    ask(6, '2026-12-01', '2026-12-31').then(taken(B, 6, '2026-12-01', '2026-12-31'))
    ask(1, '2026-10-31', '2026-12-31').rejects('capacity_out_of_time')
    ask(1, '2026-12-02', '2026-12-01').rejects('capacity_out_of_time')
    given(offered, withdrawn)
      .when('allocate', { request: 'r', units: 1, from: '2026-11-10', to: '2026-11-10' })
      .rejects('capacity_withdrawn')
  })

  it('has what is released again', () => {
    const { units, from, to } = first.data
    const released = { type: 'AllocationReleased', data: { allocation: A, units, from, to } } as const
    given(offered, first).when('release', { allocation: A }).then(released)
    given(offered, first, released).when('release', { allocation: A }).rejects('allocation_unknown')
    given(offered, first, released)
      .when('allocate', { request: 'r', units: 6, from, to }, { ...mira, newId: () => A })
      .then(taken(A, 6, from, to))
  })
})
