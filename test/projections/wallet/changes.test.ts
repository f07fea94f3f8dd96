import { balances } from '../../../projections/wallet/balances.ts'
import { wallets } from '../../../projections/wallet/wallets.ts'
import { rowsFor } from '../../support/rows-spec.ts'
import { book } from './book.ts'

const taxes = { account: 'taxes', currency: 'EUR' }
const sealed = { key: '6f1d3c0a-5b8e-4f77-96c2-a4e1d0b37f58', nonce: 'A'.repeat(16), text: 'B'.repeat(30) }
const of = (type: string, data: object) => ({ type, data, id: 'studio' })

describe('rows: changes of wallets and accounts', () => {
  it('show the holder, and how many accounts are open', async () => {
    const { given } = rowsFor(wallets)
    const renamed = of('WalletChanged', { holder: sealed, reason: 'Married' })
    await given(...book, renamed, of('AccountClosed', taxes)).then({ holder: sealed, accounts: 1, revision: 6n })
    await given(...book, renamed, of('WalletChanged', { holder: null })).then({ holder: undefined, accounts: 2 })
    await given(...book, of('AccountClosed', taxes), of('AccountReopened', taxes)).then({ accounts: 2 })
  })
  it('show the overdraft and the status of an account', () =>
    rowsFor(balances)
      .given(
        ...book,
        of('AccountOverdraftChanged', { ...taxes, from: 'refused', to: 'allowed' }),
        of('AccountClosed', taxes),
      )
      .then(
        { account: 'main', status: 'open', overdraft: 'refused', revision: 4n },
        { account: 'taxes', status: 'closed', overdraft: 'allowed', balance: 100n, revision: 6n },
      ))
  it('show the terms of an account, which is an asset where nothing is said', () =>
    rowsFor(balances)
      .given(
        ...book,
        of('AccountChanged', { ...taxes, type: 'liability', kind: 'savings', minimum: 5n, reason: 'Agreed' }),
        of('AccountChanged', { ...taxes, type: null, minimum: null }),
      )
      .then(
        { account: 'main', type: 'asset', kind: undefined, limit: undefined, minimum: undefined },
        { account: 'taxes', type: 'asset', kind: 'savings', minimum: undefined, revision: 6n },
      ))
  it('show the type that the name of an account says, where no other was given', () => {
    const opened = (account: string, more: object = {}) =>
      of('AccountOpened', { account, currency: 'EUR', places: 2, overdraft: 'allowed', ...more })
    return rowsFor(balances)
      .given(book[0]!, opened('Expenses:Rent'), opened('income:x', { type: 'asset' }))
      .then({ account: 'Expenses:Rent', type: 'expense' }, { account: 'income:x', type: 'asset' })
  })
  it('show what is frozen', async () => {
    const frozen = [of('AccountFrozen', taxes), of('WalletFrozen', {})]
    await rowsFor(balances)
      .given(...book, ...frozen)
      .then({ status: 'open' }, { status: 'frozen' })
    await rowsFor(wallets)
      .given(...book, ...frozen)
      .then({ status: 'frozen', revision: 6n })
    const unfrozen = [of('AccountUnfrozen', taxes), of('WalletUnfrozen', {})]
    await rowsFor(balances)
      .given(...book, ...frozen, ...unfrozen)
      .then({ status: 'open' }, { status: 'open' })
    await rowsFor(wallets)
      .given(...book, ...frozen, ...unfrozen)
      .then({ status: 'open' })
  })
})
