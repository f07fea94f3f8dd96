import { balances } from '../../../projections/wallet/balances.ts'
import { rowsFor } from '../../support/rows-spec.ts'
import { book, second } from './book.ts'

describe('rows: balances', () => {
  const { given } = rowsFor(balances)

  it('holds the balance of each account, and of no external one', () =>
    given(...book).then(
      { wallet: 'studio', account: 'main', currency: 'EUR', balance: 300n, postings: 3n, revision: 4n },
      { wallet: 'studio', account: 'taxes', currency: 'EUR', balance: 100n, postings: 1n, revision: 4n },
    ))
  it('begins with nothing in the account', () =>
    given(...book.slice(0, 2)).then({
      account: 'main',
      places: 2,
      overdraft: 'refused',
      balance: 0n,
      postings: 0n,
      opened_at: second(1),
    }))
  it('is impossible before the account is opened', () => given(book[0]!, book[3]!).isImpossible())
})
