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
})
