import { expect } from 'chai'
import { postings } from '../../../projections/wallet/postings.ts'
import { rowsFor } from '../../support/rows-spec.ts'
import { book, withGold } from './book.ts'

describe('rows: postings', () => {
  const { given } = rowsFor(postings)

  it('lists each posting by account, external ones too', () =>
    given(...book).then(
      { account: 'external:client', revision: 3n, line: 1, amount: -500n, external: true },
      { account: 'external:fee', revision: 4n, line: 3, amount: 100n, external: true },
      { account: 'main', revision: 3n, line: 0, amount: 500n, external: false },
      { account: 'main', revision: 4n, line: 0, amount: -150n, external: false },
      { account: 'main', revision: 4n, line: 2, amount: -50n, external: false },
      { account: 'taxes', revision: 4n, line: 1, amount: 100n, external: false },
    ))
  it('has the day of each posting, and its places where they are finer', async () => {
    const rows = (await given(...withGold).rows()).filter(({ currency }) => currency === 'GAU')
    expect(rows.map(({ account, places, effective_on }) => [account, places, effective_on])).to.deep.equal([
      ['external:mint', undefined, '2026-02-28'],
      ['external:mint', 3, '2026-02-28'],
      ['main', undefined, '2026-02-28'],
      ['main', 3, '2026-03-02'],
    ])
  })
  it('adds up to zero', async () => {
    const rows = await given(...book).rows()
    expect(rows.reduce((sum, { amount }) => sum + (amount as bigint), 0n)).to.equal(0n)
  })
})
