import { searchProfiles } from '../../../projections/memory/search-profiles.ts'
import { rowsFor } from '../../support/rows-spec.ts'

const dimensions = [{ name: 'noise', low: ['quiet'], high: ['loud'] }]
const added = { type: 'SearchProfileAdded', data: { name: 'Ours', dimensions, owner: 'user-1' } }

describe('rows: search profiles', () => {
  it('has a row for each profile', async () => {
    const { given } = rowsFor(searchProfiles)
    await given(added).then({ id: 'thing-1', name: 'Ours', dimensions })
    await given(added, { type: 'SearchProfileRemoved', data: {} }).then()
  })
})
