import { listings } from '../../../projections/exchange/listings.ts'
import { rowsFor } from '../../support/rows-spec.ts'

describe('rows: listings', () => {
  const { given } = rowsFor(listings)

  it('are the fields of each, until it is removed', async () => {
    const price = { price: 1_000n, currency: 'EUR', places: 2 }
    const fields = { kind: 'offer', title: 'An atlas', category: 'maps', tags: [], status: 'draft', ...price }
    const added = { type: 'ListingAdded', data: { ...fields, owner: 'user-1' } }
    await given(added).then({ ...fields, owner: 'user-1' })
    await given(added, {
      type: 'ListingChanged',
      data: { status: 'published', price: null, currency: null, places: null },
    }).then({ status: 'published', price: undefined })
    await given(added, { type: 'ListingRemoved', data: {} }).then()
  })
})
