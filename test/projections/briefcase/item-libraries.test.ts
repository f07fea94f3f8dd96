import { itemLibraries } from '../../../projections/briefcase/item-libraries.ts'
import { rowsFor } from '../../support/rows-spec.ts'

const added = { type: 'LibraryAdded', data: { ...{ name: 'Type', library_type: 'fonts' }, owner: 'mira' } }

describe('rows: libraries', () => {
  const { given } = rowsFor(itemLibraries)

  it('follows the changes, and goes with the thing', async () => {
    await given(added, { type: 'LibraryChanged', data: { name: 'Other' } }).then({
      id: 'thing-1',
      name: 'Other',
      owner: 'mira',
    })
    await given(added, { type: 'LibraryRemoved', data: {} }).then()
  })
})
