import { listing } from '../../../domain/exchange/listing/listing.ts'
import { specFor } from '../../support/spec.ts'

const plain = { kind: 'offer', title: 'An atlas', category: 'maps', tags: [], status: 'draft' }
const price = { price: 1_000n, currency: 'EUR', places: 2 }
const added = (more: object = {}) => ({ type: 'ListingAdded', data: { ...plain, ...more, owner: 'user-1' } })

describe('listing', () => {
  const { given } = specFor(listing)

  it('has a whole price, or none', () => {
    given().when('add', plain).then(added())
    given()
      .when('add', { ...plain, ...price })
      .then(added(price))
    given()
      .when('add', { ...plain, price: 1_000n })
      .rejects('listing_price_incomplete')
    given()
      .when('add', { ...plain, ...price, places: 3 })
      .rejects('listing_places_mismatch')
    given(added()).when('change', { currency: 'EUR' }).rejects('listing_price_incomplete')
    given(added(price))
      .when('change', { price: 2_000n })
      .then({ type: 'ListingChanged', data: { price: 2_000n } })
    given(added(price)).when('change', { places: null }).rejects('listing_price_incomplete')
    given(added(price))
      .when('replace', { ...plain, price: 1_000n })
      .rejects('listing_price_incomplete')
    given(added(price))
      .when('replace', plain)
      .then({ type: 'ListingChanged', data: { price: null, currency: null, places: null } })
  })

  it('is published, changed and removed like any plain thing', () => {
    given(added())
      .when('change', { status: 'published' })
      .then({ type: 'ListingChanged', data: { status: 'published' } })
    given(added()).when('remove', {}).then({ type: 'ListingRemoved', data: {} })
    given(added()).when('add', plain).rejects('listing_already_added')
  })
})
