import { objective } from '../../../domain/center/objective/objective.ts'
import { specFor } from '../../support/spec.ts'

const { given } = specFor(objective)
const fields = { plan: 'shop', title: 'People find us' }
const added = { type: 'ObjectiveAdded', data: { ...fields, owner: 'user-1' } } as const

describe('objective', () => {
  it('is added with its fields, and removed', () => {
    given().when('add', fields).then(added)
    given(added).when('remove', {}).then({ type: 'ObjectiveRemoved', data: {} })
  })
})
