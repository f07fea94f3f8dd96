import { expect } from 'chai'
import { balances } from '../../../projections/wallet/balances.ts'
import { rowsFor } from '../../support/rows-spec.ts'
import { book, second, withGold } from './book.ts'

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
  it('has the places of the finest posting, and the whole balance in them', async () => {
    const gold = async (facts: typeof withGold) =>
      (await given(...facts).rows()).find(({ currency }) => currency === 'GAU')
    expect(await gold(withGold.slice(0, -1))).to.include({ balance: 2n, places: 0, minor_places: 0 })
    expect(await gold(withGold)).to.include({ balance: 2125n, places: 3, minor_places: 0, postings: 2n })
  })
  it('says the latest day that a posting counts for, its own or that of its entry', async () => {
    const on = (effectiveOn: string, own?: string) => ({
      id: 'studio',
      at: second(9),
      type: 'EntryPosted' as const,
      data: {
        entry: `e-${effectiveOn}`,
        kind: 'journal' as const,
        effectiveOn,
        postings: [
          { account: 'main', currency: 'EUR', amount: 1n, ...(own !== undefined && { effectiveOn: own }) },
          { account: 'external:x', currency: 'EUR', amount: -1n },
        ],
      },
    })
    const lastOn = async (...facts: ReturnType<typeof on>[]) =>
      (await given(...book.slice(0, 2), ...facts).rows()).find(({ account }) => account === 'main')!.last_on
    expect(await lastOn()).to.equal(undefined)
    expect(await lastOn(on('2026-05-01'), on('2026-04-01'))).to.equal('2026-05-01')
    expect(await lastOn(on('2026-05-01', '2026-06-01'), on('2026-05-02'))).to.equal('2026-06-01')
  })
  it('is impossible before the account is opened', () => given(book[0]!, book[3]!).isImpossible())
})
