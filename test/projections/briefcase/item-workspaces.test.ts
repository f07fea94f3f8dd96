import { itemWorkspaces } from '../../../projections/briefcase/item-workspaces.ts'
import { rowsFor } from '../../support/rows-spec.ts'

const added = {
  type: 'WorkspaceAdded',
  data: { ...{ name: 'Shop', item: 'item-1', configuration: {}, plugins: [] }, owner: 'mira' },
}

describe('rows: workspaces', () => {
  const { given } = rowsFor(itemWorkspaces)

  it('follows the changes, and goes with the thing', async () => {
    await given(added, { type: 'WorkspaceChanged', data: { name: 'Other' } }).then({
      id: 'thing-1',
      name: 'Other',
      owner: 'mira',
    })
    await given(added, { type: 'WorkspaceRemoved', data: {} }).then()
  })
})
