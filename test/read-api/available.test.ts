import { expect } from 'chai'
import fc from 'fast-check'
import { History, makeWorld, type World } from './support.ts'

const ORG = 'north'
const DAY_MS = 86_400_000
/** A day so many days from today, which lies well away from midnight or is waited for. */
const dayAt = (n: number) => new Date(Date.now() + n * DAY_MS).toISOString().slice(0, 10)

type Row = { readonly account: string; readonly balance: string; readonly available: string; readonly places: number }
type Line = { readonly account: string; readonly amount: bigint; readonly places?: number; readonly on?: number }

/** A wallet with entries that count for days around today, all posted at one time. */
function historyOf(entries: readonly { readonly lines: readonly Line[]; readonly on: number }[], at?: string): History {
  const history = new History().add(ORG, 'wallet', 'w', 'WalletOpened', { owner: 'o', kind: 'personal' }, at)
  for (const account of ['a', 'b']) {
    history.add(ORG, 'wallet', 'w', 'AccountOpened', { account, currency: 'GAU', places: 1, overdraft: 'allowed' }, at)
  }
  for (const [n, { lines, on }] of entries.entries()) {
    const postings = lines.map(({ on: own, ...line }) => ({
      currency: 'GAU',
      ...line,
      ...(own !== undefined && { effectiveOn: dayAt(own) }),
    }))
    const data = { entry: `e${n}`, kind: 'journal', postings, effectiveOn: dayAt(on) }
    history.add(ORG, 'wallet', 'w', 'EntryPosted', data, at)
  }
  return history
}

const lineArb = fc.record(
  {
    account: fc.constantFrom('a', 'b', 'external:x'),
    amount: fc.bigInt(-(10n ** 20n), 10n ** 20n),
    places: fc.constantFrom(2, 3),
    on: fc.integer({ min: -3, max: 3 }),
  },
  { requiredKeys: ['account', 'amount'] },
)
const entriesArb = fc.array(
  fc.record({ lines: fc.array(lineArb, { minLength: 1, maxLength: 3 }), on: fc.integer({ min: -3, max: 3 }) }),
  { maxLength: 12 },
)

describe('what an account can spend', () => {
  let world: World
  before(async () => {
    world = await makeWorld()
  })
  after(() => world.close())

  /** The accounts of the wallet, as both lists and as single rows, which must all say the same. */
  async function accounts(query = ''): Promise<readonly Row[]> {
    const own = (await world.call(ORG, `/kwlt/wallets/w/accounts?${query}`)).data as Row[]
    expect((await world.call(ORG, `/kwlt/accounts?${query}`)).data).to.deep.equal(own)
    for (const row of own) {
      const { data } = await world.call(ORG, `/kwlt/wallets/w/accounts/${row.account}/GAU?${query}`)
      expect(data).to.deep.equal(row)
    }
    return own
  }

  it('is what a naive reading of the postings says, today and in every earlier state', async function () {
    this.timeout(60_000)
    await fc.assert(
      fc.asyncProperty(entriesArb, async entries => {
        const history = historyOf(entries, new Date().toISOString())
        await world.write(history)
        for (const count of [entries.length, Math.floor(entries.length / 2)]) {
          const position = history.events[2 + count]!.position
          const found = await accounts(count === entries.length ? '' : `as_of=${position}`)
          for (const { account, available, balance, places } of found) {
            const mine = entries
              .slice(0, count)
              .flatMap(({ lines, on }) => lines.map(line => ({ on, ...line })))
              .filter(line => line.account === account)
              .map(line => ({ ...line, amount: line.amount * 10n ** BigInt(places - (line.places ?? 1)) }))
            const sum = (lines: typeof mine) => String(lines.reduce((total, { amount }) => total + amount, 0n))
            expect(balance).to.equal(sum(mine))
            expect(available).to.equal(sum(mine.filter(({ amount, on }) => amount < 0n || on <= 0)))
          }
        }
      }),
      { numRuns: process.env.KOGI_LONG ? 200 : 10 },
    )
  })

  it('is, in an answer from the past, that of the day of its time, or of its last event', async () => {
    const at = new Date(Date.now() - 2 * DAY_MS).toISOString()
    const history = historyOf([{ lines: [{ account: 'a', amount: 5n }], on: -1 }], at)
    await world.write(history)
    await world.pool.query(`select 1`)
    const of = async (query: string) => (await accounts(query)).map(({ available }) => available)
    expect(await of('')).to.deep.equal(['5', '0'])
    expect(await of(`as_of=${history.position}`)).to.deep.equal(['0', '0'])
  })
})
