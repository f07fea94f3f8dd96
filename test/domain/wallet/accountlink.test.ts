import { accountLink } from '../../../domain/wallet/accountlink/accountlink.ts'
import { specFor } from '../../support/spec.ts'

const fields = { wallet: 'studio', account: 'checking', project: 'sea' }
const added = { type: 'AccountLinkAdded', data: { ...fields, owner: 'user-1' } } as const

describe('account link', () => {
  const { given } = specFor(accountLink)

  it('ties an account to what it is for', () => given().when('add', fields).then(added))
  it('is changed and removed like any plain thing', () => {
    given(added)
      .when('change', { project: null, item: 'clock', purpose: 'payouts' })
      .then({ type: 'AccountLinkChanged', data: { project: null, item: 'clock', purpose: 'payouts' } })
    given(added).when('remove', {}).then({ type: 'AccountLinkRemoved', data: {} })
    given(added).when('add', fields).rejects('accountlink_already_added')
  })
})
