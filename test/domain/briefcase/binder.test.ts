import { binder } from '../../../domain/briefcase/binder/binder.ts'
import { specFor } from '../../support/spec.ts'

const { given } = specFor(binder)
const body = {
  name: 'For the bank',
  workspace: 'workspace-1',
  content: [{ content_type: 'item', content_id: 'item-1' }],
}
const added = { type: 'BinderAdded', data: { ...body, owner: 'user-1' } }

describe('binder', () => {
  it('is added once, and belongs to its adder', () => {
    given().when('add', body).then(added)
    given(added).when('add', body).rejects('binder_already_added')
  })
  it('states only what changes', () => {
    given(added)
      .when('change', { name: 'Other' })
      .then({ type: 'BinderChanged', data: { name: 'Other' } })
    given(added).when('change', { name: body.name }).changesNothing()
  })
})
