import { officeWorkspaces } from '../../../projections/office/office-workspaces.ts'
import { rowsFor } from '../../support/rows-spec.ts'

const plain = { name: 'Atlas', projects: ['p-1'], files: [], notes: [], pages: [] }
const added = { type: 'OfficeWorkspaceAdded', data: { ...plain, owner: 'user-1' } }
const changed = { type: 'OfficeWorkspaceChanged', data: { projects: [] } }

describe('rows: office workspaces', () => {
  const { given } = rowsFor(officeWorkspaces)

  it('are the fields of each, until it is removed', async () => {
    await given(added).then({ id: 'thing-1', ...plain, owner: 'user-1' })
    await given(added, changed).then({ ...plain, ...changed.data })
    await given(added, { type: 'OfficeWorkspaceRemoved', data: {} }).then()
  })
})
