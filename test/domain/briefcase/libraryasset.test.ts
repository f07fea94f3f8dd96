import { libraryasset } from '../../../domain/briefcase/libraryasset/libraryasset.ts'
import { specFor } from '../../support/spec.ts'

const { given } = specFor(libraryasset)
const body = { name: 'Grotesk', library: 'library-1', asset_type: 'font', asset_path: 'a.woff2', metadata: {} }
const added = { type: 'LibraryAssetAdded', data: { ...body, owner: 'user-1' } }

describe('library asset', () => {
  it('is added once, and belongs to its adder', () => {
    given().when('add', body).then(added)
    given(added).when('add', body).rejects('libraryasset_already_added')
  })
  it('states only what changes', () => {
    given(added)
      .when('change', { name: 'Other' })
      .then({ type: 'LibraryAssetChanged', data: { name: 'Other' } })
    given(added).when('change', { name: body.name }).changesNothing()
  })
})
