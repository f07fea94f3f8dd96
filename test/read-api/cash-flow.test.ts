import { expect } from 'chai'
import fc from 'fast-check'
import { cursorOf } from '../../read-api/cursor.ts'
import { History, makeWorld, type World } from './support.ts'

const ORG = 'north'
/** Days of three months of two years. */
const DAYS = ['2025-12-30', '2025-12-31', '2026-01-01', '2026-01-31', '2026-02-01', '2026-02-02']
const OWN = {
  bank: { type: 'asset', kind: 'checking' },
  till: {},
  fund: { type: 'asset', kind: 'investment' },
  sales: { type: 'income' },
}
const ACCOUNTS = [...Object.keys(OWN), 'external:client', 'external:wallet:v']
const BY = ['tag', 'counterparty', 'project', 'kind'] as const

const entryArb = fc.record({
  wallet: fc.constantFrom('v', 'w'),
  currency: fc.constantFrom('EUR', 'GAU'),
  lines: fc.array(
    fc.record(
      {
        account: fc.constantFrom(...ACCOUNTS),
        amount: fc.bigInt(-(10n ** 20n), 10n ** 20n),
        places: fc.constantFrom(3, 4),
        on: fc.constantFrom(...DAYS),
      },
      { requiredKeys: ['account', 'amount'] },
    ),
    { minLength: 1, maxLength: 4 },
  ),
  on: fc.constantFrom(...DAYS),
  kind: fc.constantFrom('fee', 'credit'),
  tags: fc.uniqueArray(fc.constantFrom('trip', 'menu', 'ü')),
  project: fc.constantFrom('sea', undefined),
})
type Entry = typeof entryArb extends fc.Arbitrary<infer T> ? T : never
/** What an entry moved in the cash accounts on a day, in ten-thousandths. */
type Line = {
  readonly entry: number
  readonly wallet: string
  readonly account: string
  readonly currency: string
  readonly on: string
  readonly amount: bigint
}

function historyOf(entries: readonly Entry[]): { history: History; lines: readonly Line[]; positions: bigint[] } {
  const history = new History()
  for (const wallet of ['v', 'w']) {
    history.add(ORG, 'wallet', wallet, 'WalletOpened', { owner: 'o', kind: 'personal' })
    for (const [account, terms] of Object.entries(OWN)) {
      for (const currency of ['EUR', 'GAU']) {
        const data = { account, currency, places: 2, overdraft: 'allowed', ...terms }
        history.add(ORG, 'wallet', wallet, 'AccountOpened', data)
      }
    }
  }
  const positions: bigint[] = []
  const lines = entries.flatMap(({ wallet, currency, lines, on, kind, tags, project }, entry) => {
    const finest = ({ amount, places = 2 }: { amount: bigint; places?: number }) => amount * 10n ** BigInt(4 - places)
    const sum = lines.reduce((sum, line) => sum + finest(line), 0n)
    const all = [...lines, { account: 'external:rest', amount: -sum, places: 4 }] as typeof lines
    const postings = all.map(({ on, ...line }) => ({ currency, ...line, ...(on !== undefined && { effectiveOn: on }) }))
    const data = {
      entry: `e${entry}`,
      kind,
      postings,
      effectiveOn: on,
      tags,
      ...(project !== undefined && { project }),
    }
    history.add(ORG, 'wallet', wallet, 'EntryPosted', { ...data, counterparty: `c${entry % 2}` })
    positions.push(history.position)
    return all.map(line => ({
      entry,
      wallet,
      account: line.account,
      currency,
      on: line.on ?? on,
      amount: finest(line),
    }))
  })
  return { history, lines, positions }
}

const questionArb = fc.record(
  {
    wallet: fc.constantFrom('v', 'w'),
    from: fc.constantFrom(...DAYS),
    to: fc.constantFrom(...DAYS),
    period: fc.constantFrom('day', 'month', 'year', 'all'),
    by: fc.constantFrom(...BY),
    isPast: fc.boolean(),
  },
  { requiredKeys: ['isPast'] },
)
type Question = typeof questionArb extends fc.Arbitrary<infer T> ? T : never
type Sums = { inflow: bigint; outflow: bigint; entries: Set<number> }

/** The rows by period, value and currency, the slow way. */
function expected(entries: readonly Entry[], lines: readonly Line[], last: number, question: Question) {
  const { wallet, from = '', to = '9', period = 'month', by } = question
  const isCash = ({ account }: Line) =>
    account === 'bank' || account === 'till' || (wallet === undefined && account.startsWith('external:wallet:'))
  const counting = lines.filter(
    line => isCash(line) && line.entry <= last && line.on <= to && (wallet === undefined || line.wallet === wallet),
  )
  const nets = new Map<string, Line>()
  for (const line of counting) {
    const key = JSON.stringify([line.entry, line.on])
    nets.set(key, { ...line, amount: (nets.get(key)?.amount ?? 0n) + line.amount })
  }
  const rows = new Map<string, Sums>()
  for (const { entry, currency, on, amount } of nets.values()) {
    if (on < from) continue
    const { tags, project, kind } = entries[entry]!
    const each = {
      tag: tags.length > 0 ? tags : [null],
      counterparty: [`c${entry % 2}`],
      project: [project],
      kind: [kind],
    }
    for (const value of by === undefined ? [null] : each[by]) {
      const length = { day: 10, month: 7, year: 4, all: 0 }[period]
      const key = JSON.stringify([length === 0 ? null : on.slice(0, length), value ?? null, currency])
      const sums = rows.get(key) ?? { inflow: 0n, outflow: 0n, entries: new Set() }
      if (amount !== 0n) sums.entries.add(entry)
      if (amount > 0n) sums.inflow += amount
      else sums.outflow -= amount
      rows.set(key, sums)
    }
  }
  const closing = (key: string) => {
    const [period, , currency] = JSON.parse(key) as [string | null, null, string]
    return [...nets.values()]
      .filter(net => net.currency === currency && (period === null || net.on.slice(0, period.length) <= period))
      .reduce((sum, { amount }) => sum + amount, 0n)
  }
  return [...rows].map(([key, { inflow, outflow, entries }]) => ({
    key,
    inflow,
    outflow,
    net: inflow - outflow,
    entries: entries.size,
    ...(by === undefined && { closing: closing(key) }),
  }))
}

describe('cash flow', () => {
  let world: World
  before(async () => {
    world = await makeWorld()
  })
  after(() => world.close())

  it('is what a naive reading of all postings says', async function () {
    this.timeout(120_000)
    await fc.assert(
      fc.asyncProperty(
        fc.array(entryArb, { maxLength: 10 }),
        fc.array(questionArb, { minLength: 1, maxLength: 5 }),
        async (entries, questions) => {
          const { history, lines, positions } = historyOf(entries)
          await world.write(history)
          for (const { isPast, wallet, ...asked } of questions) {
            const question = asked.to !== undefined && asked.from !== undefined && asked.to < asked.from ? {} : asked
            const last = isPast ? Math.floor(entries.length / 2) : entries.length - 1
            const as_of = isPast ? String(positions[last] ?? history.position) : undefined
            const given = Object.entries({ ...question, as_of }).filter(
              (pair): pair is [string, string] => pair[1] !== undefined,
            )
            const path = wallet === undefined ? '/kwlt/cash-flow' : `/kwlt/wallets/${wallet}/cash-flow`
            const { data } = await world.call(ORG, `${path}?${new URLSearchParams(given)}`)
            const found = (data as { rows: Record<string, string & number>[] }).rows.map(
              ({ period = null, by = null, currency, places, entries, ...amounts }) => ({
                key: JSON.stringify([period, by, currency]),
                entries,
                ...Object.fromEntries(
                  Object.entries(amounts).map(([name, amount]) => [name, BigInt(amount) * 10n ** BigInt(4 - places!)]),
                ),
              }),
            )
            const wanted = expected(entries, lines, last, { ...question, isPast, ...(wallet && { wallet }) })
            const order = (a: { key: string }, b: { key: string }) => (a.key < b.key ? -1 : 1)
            expect(found.sort(order), JSON.stringify([path, given])).to.deep.equal(wanted.sort(order))
          }
        },
      ),
      { numRuns: process.env.KOGI_LONG ? 300 : 20 },
    )
  })

  it('refuses a cursor with text that no row can hold', async () => {
    for (const [at, bad] of [
      [0, '\0'],
      [2, 'a\0'],
      [2, '\ud800'],
    ] as const) {
      const after = cursorOf('cash-flow', ['2026-01', '0', 'rent', 'EUR'].with(at, bad))
      const { status, code } = await world.call(ORG, `/kwlt/cash-flow?after=${after}`)
      expect([status, code]).to.deep.equal([400, 'invalid_parameter'])
    }
  })

  it('says that there are more rows than it was asked for', async () => {
    const line = { account: 'bank', amount: 5n }
    const common = { wallet: 'w', currency: 'EUR', lines: [line], kind: 'fee', tags: [], project: undefined } as const
    await world.write(historyOf(DAYS.map(on => ({ ...common, lines: [line], tags: [], on }))).history)
    const { data, pagination } = await world.call(ORG, '/kwlt/cash-flow?period=day&limit=2')
    expect((data as { rows: object[] }).rows).to.have.length(2)
    expect(pagination).to.include({ limit: 2, has_more: true })
    const sum = String(5 * DAYS.length)
    expect((data as { totals: object[] }).totals).to.deep.equal([
      {
        currency: 'EUR',
        places: 2,
        opening: '0',
        inflow: sum,
        outflow: '0',
        net: sum,
        closing: sum,
        entries: DAYS.length,
      },
    ])
  })
})
