import { officeWorkspace } from '../../../domain/office/officeworkspace/officeworkspace.ts'
import { specFor } from '../../support/spec.ts'

const plain = { name: 'Atlas', projects: ['p-1'], files: [], notes: [], pages: [] }
const added = { type: 'OfficeWorkspaceAdded', data: { ...plain, owner: 'user-1' } }

describe('office workspace', () => {
  const { given } = specFor(officeWorkspace)

  it('is added, changed and removed', () => {
    given().when('add', plain).then(added)
    given(added)
      .when('change', { notes: ['n-1'] })
      .then({ type: 'OfficeWorkspaceChanged', data: { notes: ['n-1'] } })
    given(added).when('remove', {}).then({ type: 'OfficeWorkspaceRemoved', data: {} })
  })
})
