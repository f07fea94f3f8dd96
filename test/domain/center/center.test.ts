import { center } from '../../../domain/center/center/center.ts'
import { specFor } from '../../support/spec.ts'

const { given } = specFor(center)
const added = { type: 'CenterAdded', data: { name: 'Studio', type: 'team', owner: 'user-1' } } as const

describe('center', () => {
  it('is added, changed and removed', () => {
    given().when('add', { name: 'Studio', type: 'team' }).then(added)
    given(added)
      .when('change', { description: 'All of it.' })
      .then({ type: 'CenterChanged', data: { description: 'All of it.' } })
    given(added).when('remove', {}).then({ type: 'CenterRemoved', data: {} })
  })
})
