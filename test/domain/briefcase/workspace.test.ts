import { workspace } from '../../../domain/briefcase/workspace/workspace.ts'
import { specFor } from '../../support/spec.ts'

const { given } = specFor(workspace)
const body = { name: 'Shop', item: 'item-1', configuration: {}, plugins: [] }
const added = { type: 'WorkspaceAdded', data: { ...body, owner: 'user-1' } }

describe('workspace', () => {
  it('is added once, and belongs to its adder', () => {
    given().when('add', body).then(added)
    given(added).when('add', body).rejects('workspace_already_added')
  })
  it('states only what changes', () => {
    given(added)
      .when('change', { name: 'Other' })
      .then({ type: 'WorkspaceChanged', data: { name: 'Other' } })
    given(added).when('change', { name: body.name }).changesNothing()
  })
})
