import { walletUsers } from '../../../projections/wallet/wallet-users.ts'
import { rowsFor } from '../../support/rows-spec.ts'
import { walletOpened } from './book.ts'

describe('rows: users of wallets', () => {
  it('has a row for each user, for as long as there is a right', async () => {
    const granted = (user: string, right: string) => ({ type: 'AccessGranted', data: { user, right } })
    const { given } = rowsFor(walletUsers)
    const facts = [walletOpened, granted('jon', 'post'), granted('ana', 'manage'), granted('jon', 'manage')]
    await given(...facts).then({ user: 'ana', right: 'manage' }, { user: 'jon', right: 'manage', revision: 3n })
    await given(...facts, { type: 'AccessRevoked', data: { user: 'jon' } }).then({ user: 'ana' })
  })
})
