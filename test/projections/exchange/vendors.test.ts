import { vendors } from '../../../projections/exchange/vendors.ts'
import { rowsFor } from '../../support/rows-spec.ts'

describe('rows: vendors', () => {
  it('are what vendors say of themselves', () => {
    const vendor = { name: 'Okonjo', party: 'mira', categories: ['maps'], status: 'open', owner: 'user-1' }
    return rowsFor(vendors).given({ type: 'VendorAdded', data: vendor }).then(vendor)
  })
})
