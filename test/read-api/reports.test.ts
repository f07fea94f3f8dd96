import { expect } from 'chai'
import fc from 'fast-check'
import { typeByName } from '../../domain/wallet/wallet/chart.ts'
import { History, makeWorld, type World } from './support.ts'

const ORG = 'north'
/** Days at the ends of months, and inside of them. */
const DAYS = ['01-31', '02-01', '02-10', '02-28', '03-01', '03-02', '03-15', '03-31', '04-01']
const day = (n: number) => `2026-${DAYS[n - 1]}`
const TYPES = ['asset', 'liability', 'equity', 'income', 'expense', undefined] as const

/** Own accounts with their types; the first is an asset for want of one. */
const OWN = { cash: undefined, card: 'liability', capital: 'equity', sales: 'income', rent: 'expense' } as const
const OUTSIDE = ['external:client', 'external:owner', 'external:expenses:fuel', 'external:wallet:v', 'external:odd']
const RULES = [
  { account: 'external:client', type: 'income' },
  { account: 'external:own*', type: 'equity' },
  // What PostgreSQL would take for any letter, or any text, stands for itself.
  { account: 'external:o_d', type: 'expense' },
  { account: 'external:%', type: 'expense' },
  { account: '*\\*', type: 'expense' },
]

const lineArb = fc.record(
  {
    account: fc.constantFrom(...Object.keys(OWN), ...OUTSIDE),
    amount: fc.bigInt(-(10n ** 20n), 10n ** 20n),
    places: fc.constantFrom(3, 4),
    on: fc.integer({ min: 1, max: 9 }),
  },
  { requiredKeys: ['account', 'amount'] },
)
const entryArb = fc.record({
  wallet: fc.constantFrom('v', 'w'),
  currency: fc.constantFrom('EUR', 'GAU'),
  lines: fc.array(lineArb, { minLength: 1, maxLength: 4 }),
  on: fc.integer({ min: 1, max: 9 }),
})
type Entry = typeof entryArb extends fc.Arbitrary<infer T> ? T : never
type Posted = { wallet: string; currency: string; account: string; amount: bigint; on: string; position: bigint }

/** A history of two wallets, one of which has a chart, and all its postings in ten-thousandths. */
function historyOf(entries: readonly Entry[]): { history: History; posted: readonly Posted[] } {
  const history = new History()
  for (const wallet of ['v', 'w']) {
    history.add(ORG, 'wallet', wallet, 'WalletOpened', { owner: 'o', kind: 'personal' })
    for (const [account, type] of Object.entries(OWN)) {
      for (const currency of ['EUR', 'GAU']) {
        const terms = { places: 2, overdraft: 'allowed', ...(type && { type }) }
        history.add(ORG, 'wallet', wallet, 'AccountOpened', { account, currency, ...terms })
      }
    }
  }
  for (const [version, rules] of [
    [1, []],
    [2, RULES],
  ] as const) {
    history.add(ORG, 'wallet', 'w', 'ChartSet', { version, mode: 'off', rules })
  }
  const posted: Posted[] = []
  for (const [n, { wallet, currency, lines, on }] of entries.entries()) {
    const finest = (amount: bigint, places = 2) => amount * 10n ** BigInt(4 - places)
    const own = lines.map(({ on: own, places, ...line }) => ({
      ...line,
      currency,
      ...(places !== undefined && { places }),
      ...(own !== undefined && { effectiveOn: day(own) }),
    }))
    const sum = own.reduce((sum, { amount, places }) => sum + finest(amount, places), 0n)
    const postings = [...own, { account: 'cash', currency, amount: -sum, places: 4 }] as typeof own
    history.add(ORG, 'wallet', wallet, 'EntryPosted', {
      entry: `e${n}`,
      kind: 'journal',
      postings,
      effectiveOn: day(on),
    })
    for (const { account, amount, places, effectiveOn = day(on) } of postings) {
      const { position } = history
      posted.push({ wallet, currency, account, amount: finest(amount, places), on: effectiveOn, position })
    }
  }
  return { history, posted }
}

type Row = { wallet: string; account: string; currency: string; places: number; balance: string; type?: string }
type Total = { currency: string; places: number } & Record<string, string>

const typeOf = (wallet: string, account: string): string | undefined =>
  account in OWN
    ? (OWN[account as keyof typeof OWN] ?? 'asset')
    : wallet === 'w' && account === 'external:client'
      ? 'income'
      : wallet === 'w' && account === 'external:owner'
        ? 'equity'
        : typeByName(account)

describe('financial reports', () => {
  let world: World
  before(async () => {
    world = await makeWorld()
  })
  after(() => world.close())

  /** A report in ten-thousandths. */
  async function report(path: string, query: Readonly<Record<string, string | undefined>>) {
    const given = Object.entries(query).filter((pair): pair is [string, string] => pair[1] !== undefined)
    const { data } = await world.call(ORG, `${path}?${new URLSearchParams(given)}`)
    const sections = data as Record<string, (Row & Total)[]>
    const finest = (amount: string, places: number) => BigInt(amount) * 10n ** BigInt(4 - places)
    const rows = (name: string) =>
      (sections[name] ?? []).map(row => ({ ...row, balance: finest(row.balance, row.places) }))
    const total = (currency: string, name: string) => {
      const it = sections.totals!.find(one => one.currency === currency)
      return it ? finest(it[name]!, it.places) : 0n
    }
    return { rows, total }
  }
  /** What the net worth has of each currency, in ten-thousandths. */
  async function netWorth(query: Readonly<Record<string, string | undefined>>) {
    const given = Object.entries(query).filter((pair): pair is [string, string] => pair[1] !== undefined)
    const { data } = await world.call(ORG, `/kwlt/net-worth?currency=EUR&${new URLSearchParams(given)}`)
    const { parts } = data as { parts: { code: string; amount: string; places: number }[] }
    return new Map(parts.map(({ code, amount, places }) => [code, BigInt(amount) * 10n ** BigInt(4 - places)]))
  }
  const question = fc.record(
    {
      wallet: fc.constantFrom('v', 'w', undefined),
      from: fc.integer({ min: 1, max: 9 }),
      to: fc.integer({ min: 1, max: 9 }),
      isPast: fc.boolean(),
    },
    { requiredKeys: ['isPast'] },
  )

  it('are what a naive reading of all postings says, by both clocks', async function () {
    this.timeout(120_000)
    await fc.assert(
      fc.asyncProperty(
        fc.array(entryArb, { maxLength: 10 }),
        fc.array(question, { minLength: 1, maxLength: 4 }),
        async (entries, questions) => {
          const { history, posted } = historyOf(entries)
          await world.write(history)
          for (const { wallet, from, to, isPast } of questions) {
            const then = isPast
              ? (posted[Math.floor(posted.length / 2)]?.position ?? history.position)
              : history.position
            const counting = posted.filter(
              one => (wallet === undefined || one.wallet === wallet) && one.position <= then && one.on <= day(to ?? 9),
            )
            const sumOf = (of: readonly Posted[], is: (one: Posted) => boolean) =>
              of.filter(is).reduce((sum, { amount }) => sum + amount, 0n)
            const path = wallet === undefined ? '/kwlt' : `/kwlt/wallets/${wallet}`
            const as_of = isPast ? String(then) : undefined
            const at = to === undefined ? undefined : day(to)

            const trial = await report(`${path}/trial-balance`, { at, as_of })
            const rows = trial.rows('accounts')
            for (const { wallet, account, currency, balance } of rows) {
              const is = (one: Posted) => one.wallet === wallet && one.account === account && one.currency === currency
              expect(balance, `${wallet} ${account} ${currency}`).to.equal(sumOf(counting, is))
            }
            expect(rows.length).to.equal(
              new Set(counting.map(one => [one.wallet, one.account, one.currency].join())).size,
            )

            const worth = await netWorth({ day: day(to ?? 9), as_of, wallet })
            for (const currency of ['EUR', 'GAU']) {
              const is = ({ account, ...one }: Posted) =>
                one.currency === currency && (account === 'cash' || account === 'card')
              expect(worth.get(currency) ?? 0n, `worth of ${currency}`).to.equal(sumOf(counting, is))
            }

            const sheet = await report(`${path}/balance-sheet`, { at, as_of })
            const first = from === undefined || (to !== undefined && from > to) ? undefined : day(from)
            const income = await report(`${path}/income-statement`, { from: first, to: at, as_of })
            for (const currency of ['EUR', 'GAU']) {
              const own = counting.filter(one => one.currency === currency)
              // Zero, but for entries of which some lines count for a later day.
              const open = sumOf(own, () => true)
              if (to === undefined) expect(open).to.equal(0n)
              expect(trial.total(currency, 'in_transit')).to.equal(open)
              expect(trial.total(currency, 'debit') - trial.total(currency, 'credit')).to.equal(open)
              const ofType = (of: readonly Posted[], type: string | undefined) =>
                sumOf(of, one => typeOf(one.wallet, one.account) === type)
              const [assets, liabilities, equity] = TYPES.map(type => ofType(own, type))
              expect(sheet.total(currency, 'assets')).to.equal(assets)
              expect(sheet.total(currency, 'liabilities')).to.equal(-liabilities!)
              expect(sheet.total(currency, 'equity')).to.equal(-equity!)
              expect(sheet.total(currency, 'earnings')).to.equal(assets! + liabilities! + equity! - open)
              expect(sheet.total(currency, 'in_transit')).to.equal(open)
              const period = own.filter(one => first === undefined || one.on >= first)
              const unclassified = -ofType(period, undefined)
              expect(income.total(currency, 'unclassified')).to.equal(unclassified)
              expect(income.total(currency, 'net')).to.equal(
                -ofType(period, 'income') - ofType(period, 'expense') + unclassified,
              )
              expect(income.total(currency, 'income') - income.total(currency, 'expenses')).to.equal(
                income.total(currency, 'net'),
              )
            }
          }
        },
      ),
      { numRuns: process.env.KOGI_LONG ? 300 : 15 },
    )
  })

  it('come in pages: rows neither lost nor doubled, each page with the totals of all', async function () {
    this.timeout(60_000)
    await fc.assert(
      fc.asyncProperty(fc.array(entryArb, { maxLength: 8 }), fc.boolean(), async (entries, isPast) => {
        const { history, posted } = historyOf(entries)
        await world.write(history)
        const as_of = isPast ? [`as_of=${posted[posted.length >> 1]?.position ?? history.position}`] : []
        for (const name of ['trial-balance', 'balance-sheet', 'income-statement', 'cash-flow?by=kind&period=day']) {
          const ask = (...more: string[]) => {
            const query = [...as_of, ...more].join('&')
            return world.call(ORG, `/kwlt/${name}${name.includes('?') ? '&' : '?'}${query}`)
          }
          const whole = (await ask()).data as Record<string, object[]>
          const found: Record<string, object[]> = {}
          for (let after: string[] = []; ; ) {
            const { data, pagination } = await ask('limit=2', ...after)
            const { totals, ...sections } = data as Record<string, object[]>
            expect(totals, name).to.deep.equal(whole.totals)
            for (const [section, rows] of Object.entries(sections))
              found[section] = [...(found[section] ?? []), ...rows]
            expect(Object.values(sections).flat().length, name).to.be.at.most(2)
            if (!pagination!.has_more) break
            after = [`after=${pagination!.next}`]
          }
          expect({ totals: whole.totals, ...found }, name).to.deep.equal(whole)
        }
      }),
      { numRuns: process.env.KOGI_LONG ? 100 : 8 },
    )
    expect((await world.call(ORG, '/kwlt/trial-balance?after=x')).code).to.equal('invalid_parameter')
  })

  it('are also given in one currency: each row rounded, the totals exact', async () => {
    const entry = { wallet: 'w', on: 1 } as const
    const { history } = historyOf([
      { ...entry, currency: 'EUR', lines: [{ account: 'external:client', amount: -10001n }] },
      { ...entry, currency: 'GAU', lines: [{ account: 'external:client', amount: -333n }] },
      { ...entry, wallet: 'v', currency: 'GAU', lines: [{ account: 'card', amount: -333n }] },
    ])
    history.add(ORG, 'ratetable', 'ecb', 'RateTableOpened', { validDays: 7 })
    const rates = [{ day: '2026-03-01', base: 'GAU', quote: 'EUR', rate: '57.005' }]
    history.add(ORG, 'ratetable', 'ecb', 'RatesRecorded', { rates, validDays: 7 })
    await world.write(history)
    const answer = await world.call(ORG, '/kwlt/income-statement?in=EUR&to=2026-03-03')
    const { total, income } = answer.data as { total: object; income: { currency: string; value: string }[] }
    // 100.01 EUR, and 3.33 GAU at 57.005 = 189.82665 EUR; both wallets have their own accounts.
    expect(income.map(({ currency, value }) => [currency, value])).to.deep.equal([
      ['EUR', '10001'],
      ['GAU', '18983'],
    ])
    expect(total).to.deep.include({ currency: 'EUR', places: 2, day: '2026-03-03', income: '28984', net: '28984' })
    const trial = (await world.call(ORG, '/kwlt/trial-balance?in=EUR&at=2026-03-03')).data as { total: object }
    expect(trial.total).to.deep.include({ in_transit: '0' })
    expect((await world.call(ORG, '/kwlt/trial-balance?in=USD')).code).to.equal('rate_unknown')
    expect((await world.call(ORG, '/kwlt/trial-balance?in=XYZ')).code).to.equal('invalid_parameter')
    expect((await world.call(ORG, '/kwlt/trial-balance?in=EUR&rate_day=2026-04-01')).code).to.equal('rate_unknown')
  })

  it('are of a wallet that exists, and of a period that does not end before it begins', async () => {
    await world.write(historyOf([]).history)
    for (const name of ['trial-balance', 'balance-sheet', 'income-statement']) {
      expect((await world.call(ORG, `/kwlt/wallets/nobody/${name}`)).code, name).to.equal('not_found')
      expect((await world.call('south', `/kwlt/wallets/w/${name}`)).code, name).to.equal('not_found')
      expect((await world.call(ORG, `/kwlt/wallets/w/${name}?as_of=100`)).code, name).to.equal('not_found')
      expect((await world.call(ORG, `/kwlt/wallets/w/${name}`)).status, name).to.equal(200)
      expect((await world.call('south', `/kwlt/${name}`)).data).to.deep.include({ totals: [] })
    }
    const late = await world.call(ORG, '/kwlt/income-statement?from=2026-02-01&to=2026-01-31')
    expect(late.code).to.equal('invalid_parameter')
  })
})
