import { page } from '../../../domain/center/page/page.ts'
import { specFor } from '../../support/spec.ts'

const { given } = specFor(page)
const fields = { title: 'How we print', links: [], tags: ['print'] }
const added = { type: 'PageAdded', data: { ...fields, owner: 'user-1' } } as const

describe('page', () => {
  it('is added with its fields, and removed', () => {
    given().when('add', fields).then(added)
    given(added).when('remove', {}).then({ type: 'PageRemoved', data: {} })
  })
})
