import { resourceRequest } from '../../../domain/exchange/resourcerequest/resourcerequest.ts'
import { specFor } from '../../support/spec.ts'

const time = { units: 4, unit: 'hours', from: '2026-12-01', to: '2026-12-11' }
const fields = { title: 'Someone who draws', traits: ['ink'], ...time, status: 'open' }

describe('resource request', () => {
  const { given } = specFor(resourceRequest)

  it('is a plain thing', () => {
    const added = { type: 'ResourceRequestAdded', data: { ...fields, owner: 'user-1' } }
    given().when('add', fields).then(added)
    given(added)
      .when('change', { status: 'filled' })
      .then({ type: 'ResourceRequestChanged', data: { status: 'filled' } })
  })
})
