import { libraryAssets } from '../../../projections/briefcase/library-assets.ts'
import { rowsFor } from '../../support/rows-spec.ts'

const added = {
  type: 'LibraryAssetAdded',
  data: {
    ...{ name: 'Grotesk', library: 'library-1', asset_type: 'font', asset_path: 'a.woff2', metadata: {} },
    owner: 'mira',
  },
}

describe('rows: library assets', () => {
  const { given } = rowsFor(libraryAssets)

  it('follows the changes, and goes with the thing', async () => {
    await given(added, { type: 'LibraryAssetChanged', data: { name: 'Other' } }).then({
      id: 'thing-1',
      name: 'Other',
      owner: 'mira',
    })
    await given(added, { type: 'LibraryAssetRemoved', data: {} }).then()
  })
})
