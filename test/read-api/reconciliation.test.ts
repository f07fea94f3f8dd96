import { expect } from 'chai'
import { History, makeWorld, type World } from './support.ts'

const ORG = 'north'

describe('reconciliation', () => {
  let world: World
  before(async () => {
    world = await makeWorld()
  })
  after(() => world.close())

  it('says what the books have for each entry that the statement shows, and who took an entry back', async () => {
    const history = new History()
    history.add(ORG, 'wallet', 'w', 'WalletOpened', { owner: 'o', kind: 'personal' })
    for (const account of ['a', 'b']) {
      history.add(ORG, 'wallet', 'w', 'AccountOpened', { account, currency: 'GAU', places: 1, overdraft: 'allowed' })
    }
    const entry = (entry: string, account: string, amounts: readonly bigint[], more: object = {}) => {
      const lines = amounts.map(amount => ({ account, currency: 'GAU', amount }))
      const sum = amounts.reduce((sum, amount) => sum + amount, 0n)
      const postings = [...lines, { account: 'external:x', currency: 'GAU', amount: -sum }]
      const data = { entry, kind: 'journal', postings, effectiveOn: '2026-03-01', ...more }
      history.add(ORG, 'wallet', 'w', 'EntryPosted', data)
    }
    entry('e1', 'a', [70n, -20n])
    entry('e2', 'b', [5n])
    const before = history.position
    entry('e3', 'a', [-70n, 20n], { reverses: 'e1' })
    const of = { wallet: 'w', account: 'a', currency: 'GAU' }
    const about = { ...of, statement: '3', to: '2026-03-31', opening: 0n, closing: 50n }
    history.add(ORG, 'reconciliation', 'r', 'ReconciliationOpened', about)
    const lines = ['e1', 'e2', 'e9'].map(entry => ({ entry, amount: 50n }))
    history.add(ORG, 'reconciliation', 'r', 'EntriesCleared', { ...of, lines })
    await world.write(history)

    const { data } = await world.call(ORG, '/kwlt/reconciliations/r/lines')
    const rows = data as { entry: string; amount: string; posted?: string }[]
    expect(rows.map(({ entry, amount, posted }) => [entry, amount, posted])).to.deep.equal([
      ['e1', '50', '50'],
      ['e2', '50', undefined],
      ['e9', '50', undefined],
    ])
    const reversedBy = async (query: string) =>
      ((await world.call(ORG, `/kwlt/entries/e1${query}`)).data as { reversed_by?: string }).reversed_by
    expect(await reversedBy('')).to.equal('e3')
    expect(await reversedBy(`?as_of=${before}`)).to.equal(undefined)
    const listed = await world.call(ORG, '/kwlt/entries?reverses=e1')
    expect((listed.data as { id: string }[]).map(({ id }) => id)).to.deep.equal(['e3'])
  })

  it('lists what no statement has cleared, and says what that explains of the difference', async () => {
    const history = new History()
    history.add(ORG, 'wallet', 'w', 'WalletOpened', { owner: 'o', kind: 'personal' })
    for (const account of ['a', 'b']) {
      history.add(ORG, 'wallet', 'w', 'AccountOpened', { account, currency: 'GAU', places: 1, overdraft: 'allowed' })
    }
    const entry = (entry: string, amount: bigint, effectiveOn: string, places?: number) => {
      const finer = places === undefined ? {} : { places }
      const postings = [
        { account: 'a', currency: 'GAU', amount, ...finer },
        { account: 'b', currency: 'GAU', amount: -amount, ...finer },
      ]
      const data = { entry, kind: 'journal', postings, effectiveOn, description: `No ${entry}` }
      history.add(ORG, 'wallet', 'w', 'EntryPosted', data)
    }
    entry('e1', 100n, '2026-02-10')
    entry('e2', 700n, '2026-03-01')
    entry('e3', -25n, '2026-03-02', 2)
    entry('e4', 50n, '2026-03-31')
    entry('e5', 1n, '2026-04-01')
    const of = { wallet: 'w', account: 'a', currency: 'GAU' }
    const open = (id: string, more: object) =>
      history.add(ORG, 'reconciliation', id, 'ReconciliationOpened', { ...of, statement: id, ...more })
    open('feb', { to: '2026-02-28', opening: 0n, closing: 100n, places: 1 })
    history.add(ORG, 'reconciliation', 'feb', 'EntriesCleared', { ...of, lines: [{ entry: 'e1', amount: 100n }] })
    open('march', { to: '2026-03-31', opening: 100n, closing: 803n, places: 1 })
    history.add(ORG, 'reconciliation', 'march', 'EntriesCleared', { ...of, lines: [{ entry: 'e2', amount: 700n }] })
    const differences = [{ amount: 5n, reason: 'A fee that is not booked yet' }]
    history.add(ORG, 'reconciliation', 'march', 'DifferencesExplained', { differences })
    await world.write(history)

    const get = (query = '') => world.call(ORG, `/kwlt/reconciliations/march/uncleared${query}`)
    const { data } = await get()
    const { lines, ...sums } = data as { lines: { entry: string }[] }
    // The bank has 80.3 and the books 84.75 + 5: 2.5 and 5 wait at the bank, and 0.5 is explained.
    expect(sums).to.deep.equal({
      reconciliation: 'march',
      wallet: 'w',
      account: 'a',
      currency: 'GAU',
      places: 2,
      to: '2026-03-31',
      closing: '8030',
      book_balance: '8475',
      difference: '-445',
      uncleared: '475',
      explained: '50',
      rest: '-20',
    })
    expect(lines.map(({ entry }) => entry)).to.deep.equal(['e3', 'e4'])
    expect(lines[0]).to.deep.include({ amount: '-25', effective_on: '2026-03-02', description: 'No e3' })
    const page = await get('?limit=1')
    expect((page.data as { lines: { entry: string }[] }).lines.map(({ entry }) => entry)).to.deep.equal(['e3'])
    const { next } = page.pagination as { next: string }
    const rest = await get(`?limit=1&after=${next}`)
    expect((rest.data as { lines: { entry: string }[] }).lines.map(({ entry }) => entry)).to.deep.equal(['e4'])
    expect(rest.pagination).to.include({ has_more: false })
    expect(await world.call(ORG, '/kwlt/reconciliations/never/uncleared')).to.include({ status: 404 })
    expect(await world.call('south', '/kwlt/reconciliations/march/uncleared')).to.include({ status: 404 })
  })
})
