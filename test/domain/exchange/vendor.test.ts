import { vendor } from '../../../domain/exchange/vendor/vendor.ts'
import { specFor } from '../../support/spec.ts'

const fields = { name: 'Okonjo Illustration', party: 'mira', categories: ['maps'], status: 'open' }

describe('vendor', () => {
  const { given } = specFor(vendor)

  it('is a plain thing', () => {
    const added = { type: 'VendorAdded', data: { ...fields, owner: 'user-1' } }
    given().when('add', fields).then(added)
    given(added)
      .when('change', { status: 'away' })
      .then({ type: 'VendorChanged', data: { status: 'away' } })
  })
})
