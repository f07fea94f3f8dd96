import { accountLinks } from '../../../projections/wallet/accountlinks.ts'
import { rowsFor } from '../../support/rows-spec.ts'

describe('rows: account links', () => {
  it('has a row for a link, for as long as there is one', async () => {
    const added = {
      type: 'AccountLinkAdded',
      data: { wallet: 'studio', account: 'checking', project: 'sea', owner: 'u' },
    }
    const { given } = rowsFor(accountLinks)
    await given(added, { type: 'AccountLinkChanged', data: { project: null, item: 'clock' } }).then({
      wallet: 'studio',
      account: 'checking',
      project: undefined,
      item: 'clock',
      revision: 1n,
    })
    await given(added, { type: 'AccountLinkRemoved', data: {} }).then()
  })
})
