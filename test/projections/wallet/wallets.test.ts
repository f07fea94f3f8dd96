import { wallets } from '../../../projections/wallet/wallets.ts'
import { rowsFor } from '../../support/rows-spec.ts'
import { book, second, walletOpened } from './book.ts'

describe('rows: wallets', () => {
  const { given } = rowsFor(wallets)

  it('says who owns a wallet, how many accounts it has, and that it is open', () =>
    given(...book).then({
      id: 'studio',
      owner: 'mira',
      kind: 'business',
      status: 'open',
      accounts: 2,
      revision: 2n,
      opened_at: second(0),
    }))
  it('keeps a closed wallet', () =>
    given(walletOpened, { type: 'WalletClosed', data: {}, at: second(1) }).then({
      status: 'closed',
      revision: 1n,
      updated_at: second(1),
    }))
  it('shows what may be sent out of it', () => {
    const rules = { zone: 'UTC', limits: [{ currency: 'EUR', per_day: 5n }], approvals: [] }
    return given(walletOpened, { type: 'TransferRulesSet', data: { version: 1, ...rules, reason: 'Ours' } }).then({
      transfer_rules: rules,
    })
  })
  it('is impossible before the wallet is opened', () => given({ type: 'WalletClosed', data: {} }).isImpossible())
})
