import { expect } from 'chai'
import { entries } from '../../../projections/wallet/entries.ts'
import { rowsFor } from '../../support/rows-spec.ts'
import { CONTEXT } from '../../support/spec.ts'
import { book, second, withGold } from './book.ts'

describe('rows: entries', () => {
  const { given } = rowsFor(entries)
  const common = { wallet: 'studio', kind: 'journal', effective_on: '2026-02-28', posted_by: CONTEXT.actor }

  it('lists each entry once', () =>
    given(...book).then(
      { ...common, id: 'e1', description: 'No 1', revision: 3n, position: 103n, posted_at: second(3) },
      { ...common, id: 'e2', description: 'No 2', revision: 4n, position: 104n, posted_at: second(4) },
    ))
  it('keeps the postings of an entry in their order', async () => {
    const [, second] = await given(...book).rows()
    const postings = second!.postings as readonly { readonly account: string; readonly amount: bigint }[]
    expect(postings.map(({ account, amount }) => [account, amount])).to.deep.equal([
      ['main', -150n],
      ['taxes', 100n],
      ['main', -50n],
      ['external:fee', 100n],
    ])
  })
  it('says what can be searched for: the other side, the accounts, and what the entry says of itself', async () => {
    const said = { reference: 'INV 7', tags: ['trip'], project: 'sea', metadata: { a: 1 }, deviations: ['x'] }
    const postings = [
      { account: 'main', currency: 'EUR', amount: 5n },
      { account: 'main', currency: 'EUR', amount: 0n },
      { account: 'external:client', currency: 'EUR', amount: -5n },
    ]
    const entry = { entry: 'e9', kind: 'fee', postings, effectiveOn: '2026-02-28' }
    const posted = (data: object) => ({ type: 'EntryPosted', data: { ...entry, ...data }, id: 'studio' })
    await given(...book.slice(0, 3), posted(said), posted({ counterparty: 'Mira & Co', takenBack: 2 })).then(
      { ...said, kind: 'fee', counterparty: 'external:client', accounts: ['main', 'external:client'] },
      { tags: [], counterparty: 'Mira & Co', project: undefined, metadata: undefined, taken_back: 2 },
    )
    await given(...book).then({ counterparty: 'external:client' }, { counterparty: 'external:fee' })
    const conversion = { base: 'EUR', quote: 'USD', rate: '1.0887', source: 'ecb' }
    await given(...book.slice(0, 3), posted({ kind: 'conversion', conversion })).then({
      kind: 'conversion',
      conversion,
    })
  })
  it('says where an entry comes from, and the day and places of each posting', async () => {
    const rows = await given(...withGold).rows()
    expect(rows.at(-1)).to.deep.include({
      source: 'books',
      replaces: 'e3',
      postings: [
        { account: 'main', currency: 'GAU', amount: 125n, places: 3, effective_on: '2026-03-02' },
        { account: 'external:mint', currency: 'GAU', amount: -125n, places: 3 },
      ],
    })
  })
})
