import { expect } from 'chai'
import fc from 'fast-check'
import { ACCOUNT, day, type Entry, entryArb, historyOf, ORG, oracle, PATH, type Statement } from './statement-oracle.ts'
import { makeWorld, type World } from './support.ts'

describe('statement of an account', () => {
  let world: World
  before(async () => {
    world = await makeWorld()
  })
  after(() => world.close())

  async function pages(url: string): Promise<Statement[]> {
    const found: Statement[] = []
    let after = ''
    for (;;) {
      const { status, data, pagination } = await world.call(ORG, `${url}${after}`)
      expect(status, url).to.equal(200)
      found.push(data as Statement)
      expect(found.length, `pages of ${url}`).to.be.below(1_000)
      if (!pagination!.has_more) return found
      after = `&after=${pagination!.next}`
    }
  }

  const questionArb = fc.record({
    currency: fc.constantFrom('EUR', 'USD', 'GAU', 'GAU'),
    from: fc.option(fc.integer({ min: 1, max: 9 }), { nil: undefined }),
    days: fc.option(fc.integer({ min: 0, max: 8 }), { nil: undefined }),
    order: fc.constantFrom('effective', 'posted'),
    limit: fc.integer({ min: 1, max: 7 }),
    // Of the events, in percent; the first seven open the wallet and its accounts.
    known: fc.option(fc.integer({ min: 0, max: 100 }), { nil: undefined }),
    effective: fc.option(fc.integer({ min: 1, max: 9 }), { nil: undefined }),
  })

  it('agrees with a naive reading of the log, for any entries, period, order and page size', async function () {
    this.timeout(60_000)
    const runs = process.env.KOGI_LONG ? 200 : 12
    const questions = fc.array(questionArb, { minLength: 8, maxLength: 8 })
    // The first postings are in no block, and in one block all are looked at one by one; large steps make many blocks.
    const steps = fc.constantFrom(1n, 40n, 1_500n, 5_000n, 30_000n)
    const lists = fc.array(entryArb, { maxLength: 25 })
    const property = fc.asyncProperty(lists, steps, questions, async (entries, step, asked) => {
      const history = historyOf(entries, step)
      await world.write(history)
      for (const { currency, from, days, order, limit, known, effective } of asked) {
        const period = {
          ...(from !== undefined && { from: day(from) }),
          ...(days !== undefined && { to: day(Math.min((from ?? 1) + days, 9)) }),
        }
        const asOf = history.events[6 + Math.floor(((known ?? 100) * entries.length) / 100)]!.position
        const clocks = {
          ...(known !== undefined && { as_of: String(asOf) }),
          ...(effective !== undefined && { effective_at: day(effective) }),
        }
        const effectiveAt = effective === undefined ? '9' : day(effective)
        const expected = oracle(history, { currency, order, ...period, asOf, effectiveAt })
        const query = new URLSearchParams({ currency, ...period, ...clocks, limit: String(limit) })
        const found = await pages(`${PATH}/statement?${query}&order=${order}`)
        const lines = found.flatMap(({ lines }) => lines)
        const seen = lines.map(line => ({
          at: `${line.revision}/${line.line}`,
          amount: line.amount,
          balance: line.balance,
          effectiveOn: line.effective_on,
        }))
        expect(seen).to.deep.equal(expected.lines)
        expect(found[0]!.page_opening).to.equal(expected.period.opening)
        expect(found[0]!.places).to.equal(expected.places)
        expect(found[0]!.balance).to.equal(effective === undefined ? undefined : expected.balance)
        for (const [at, page] of found.entries()) {
          expect(page, String(query)).to.deep.include(expected.period)
          expect(page.page_closing).to.equal(page.lines.at(-1)?.balance ?? page.page_opening)
          if (at > 0) expect(page.page_opening).to.equal(found[at - 1]!.page_closing)
        }
        if (order !== 'effective') continue
        const ends = new Map(expected.lines.map(line => [line.effectiveOn, line.balance]))
        const dayPages = await pages(`${PATH}/end-of-day?${query}`)
        for (const [at, page] of dayPages.entries()) {
          expect(page, String(query)).to.deep.include(expected.period)
          expect(page.page_closing).to.equal(page.days.at(-1)?.balance ?? page.page_opening)
          if (at > 0) expect(page.page_opening).to.equal(dayPages[at - 1]!.page_closing)
        }
        const endOfDay = dayPages.flatMap(({ days }) => days)
        expect(endOfDay.map(({ date, balance }) => [date, balance])).to.deep.equal([...ends])
        // The days are up to a year apart.
        query.set('limit', String(40 * limit))
        const every = (await pages(`${PATH}/end-of-day?${query}&every_day=true`)).flatMap(({ days }) => days)
        const limits = [period.to, clocks.effective_at].filter(end => end !== undefined).sort()
        const [first = '9999-12-31', last = limits[0] ?? ''] = [
          period.from ?? [...ends.keys()][0],
          limits[0] ?? [...ends.keys()].at(-1),
        ]
        expect(every.map(({ date, balance }) => [date, balance])).to.deep.equal(
          everyDay(ends, { first, last, opening: expected.period.opening }),
        )
      }
    })
    await fc.assert(property, { numRuns: runs })
  })

  /** The balance at the end of each day from the first to the last, those without a line too. */
  function everyDay(
    ends: ReadonlyMap<string, string>,
    { first, last, opening }: { readonly first: string; readonly last: string; readonly opening: string },
  ) {
    let balance = opening
    const days: [string, string][] = []
    for (const at = new Date(first); at <= new Date(last); at.setUTCDate(at.getUTCDate() + 1)) {
      const date = at.toISOString().slice(0, 10)
      balance = ends.get(date) ?? balance
      days.push([date, balance])
    }
    return days
  }

  it('knows accounts, and says so where there are no lines', async () => {
    await world.write(historyOf([]))
    const { data } = await world.call(ORG, `${PATH}/statement?currency=EUR&from=2026-01-01`)
    expect(data).to.deep.include({ opening: '0', closing: '0', lines: [], places: 2 })
    const never = await world.call(ORG, '/kwlt/wallets/w/accounts/never/statement?currency=EUR')
    expect(never).to.include({ status: 404, code: 'not_found' })
    expect(await world.call(ORG, `${PATH}/end-of-day?currency=CZK`)).to.include({ status: 404 })
    expect(await world.call('south', `${PATH}/statement?currency=EUR`)).to.include({ status: 404 })
  })

  it('tells what was known from what counts: a correction is for its day, and was not known before', async () => {
    const entry = (amount: bigint, effective: number): Entry => {
      return { amounts: [amount], currency: 'EUR', effective, posted: 9 }
    }
    const history = historyOf([entry(100n, 2), entry(50n, 5), entry(-30n, 2)])
    await world.write(history)
    const [opened, , known] = history.events.slice(6).map(({ position }) => position)
    const balanceOf = async (query: string) =>
      ((await world.call(ORG, `${PATH}/statement?currency=EUR&limit=1&${query}`)).data as Statement).balance
    expect(await balanceOf(`effective_at=${day(3)}`)).to.equal('70')
    expect(await balanceOf(`effective_at=${day(3)}&as_of=${known}`)).to.equal('100')
    expect(await balanceOf(`effective_at=${day(9)}&as_of=${known}`)).to.equal('150')
    expect(await balanceOf(`effective_at=${day(9)}&as_of=${opened}`)).to.equal('0')
    const before = await world.call(ORG, `${PATH}/statement?currency=EUR&as_of=${history.events[0]!.position}`)
    expect(before).to.include({ status: 404, code: 'not_found' })
    const head = history.position + 1n
    const beyond = await world.call(ORG, `${PATH}/statement?currency=EUR&as_of=${head}`)
    expect(beyond).to.include({ status: 400, code: 'as_of_beyond_head' })
  })

  it('begins a page with what the period has before it, also where a clock went back between entries', async () => {
    const entry = (amount: bigint, posted: number): Entry => {
      return { amounts: [amount, amount], currency: 'EUR', effective: 1, posted }
    }
    await world.write(historyOf([entry(100n, 2), entry(7n, 1)]))
    const found = await pages(`${PATH}/statement?currency=EUR&order=posted&limit=1&to=${day(1)}`)
    expect(found.flatMap(({ lines }) => lines.map(({ balance }) => balance))).to.deep.equal(['7', '14'])
    expect(found[1]).to.include({ page_opening: '7', closing: '14' })
  })

  it('has statements of the accounts outside the wallet too, once something was posted there', async () => {
    const history = historyOf([])
    history.add(ORG, 'wallet', 'w', 'EntryPosted', {
      entry: 'e',
      kind: 'credit',
      postings: [
        { account: ACCOUNT, currency: 'EUR', amount: 5n },
        { account: 'external:client', currency: 'EUR', amount: -5n },
      ],
      effectiveOn: '2026-03-01',
    })
    await world.write(history)
    const found = await world.call(ORG, '/kwlt/wallets/w/accounts/external%3Aclient/statement?currency=EUR')
    expect(found.data).to.deep.include({ opening: '0', closing: '-5', places: 2 })
    history.add(ORG, 'wallet', 'w', 'EntryPosted', {
      entry: 'f',
      kind: 'journal',
      postings: [
        { account: ACCOUNT, currency: 'GAU', amount: 125n, places: 3 },
        { account: 'external:client', currency: 'GAU', amount: -125n, places: 3 },
        { account: ACCOUNT, currency: 'GAU', amount: 1n },
        { account: 'external:client', currency: 'GAU', amount: -1n },
      ],
      effectiveOn: '2026-03-01',
    })
    await world.write(history)
    const finer = await world.call(ORG, '/kwlt/wallets/w/accounts/external%3Aclient/statement?currency=GAU')
    expect(finer.data).to.deep.include({ closing: '-135', places: 3 })
    const row = await world.call(ORG, `${PATH}/GAU`)
    expect(row.data).to.deep.include({ balance: '135', places: 3, minor_places: 2 })
    const summary = '/kwlt/wallets/w/accounts/summary?sum=balance&by='
    expect(await world.call(ORG, `${summary}currency`)).to.include({ status: 400, code: 'invalid_parameter' })
    expect((await world.call(ORG, `${summary}currency,places`)).data).to.deep.equal([
      { group: { currency: 'EUR', places: 2 }, count: 2, sums: { balance: '5' } },
      { group: { currency: 'GAU', places: 2 }, count: 1, sums: { balance: '0' } },
      { group: { currency: 'GAU', places: 3 }, count: 1, sums: { balance: '135' } },
      { group: { currency: 'USD', places: 2 }, count: 2, sums: { balance: '0' } },
    ])
    const other = await world.call(ORG, '/kwlt/wallets/w/accounts/external%3Aother/statement?currency=EUR')
    expect(other.status).to.equal(404)
  })

  it('refuses a cursor of another order or period, a period that ends before it begins, and no currency', async () => {
    await world.write(
      historyOf(Array.from({ length: 4 }, () => ({ amounts: [1n], currency: 'EUR', effective: 5, posted: 5 }))),
    )
    const { pagination } = await world.call(ORG, `${PATH}/statement?currency=EUR&limit=1`)
    for (const query of [
      `currency=EUR&as_of=150&after=${pagination!.next}`,
      `currency=EUR&effective_at=${day(4)}&after=${pagination!.next}`,
      `currency=EUR&order=posted&after=${pagination!.next}`,
      `currency=EUR&from=${day(6)}&after=${pagination!.next}`,
      `currency=EUR&from=${day(6)}&to=${day(5)}`,
      `from=${day(6)}`,
      'currency=EUR&from=2026-02-30',
    ]) {
      expect(await world.call(ORG, `${PATH}/statement?${query}`), query).to.include({
        status: 400,
        code: 'invalid_parameter',
      })
    }
  })

  it('is right on every page of 42,493 lines', async function () {
    this.timeout(60_000)
    const lines = process.env.KOGI_LONG ? 42_493 : 8_000
    await world.write(historyOf([]))
    await world.pool.query(
      `insert into postings_v2 (org, wallet, account, currency, revision, line, position, entry, external, amount,
        effective_on, posted_at) select 'north', 'w', $2, 'EUR', 10 + n, 0, 1000 + n, 'e' || n, false, n % 1000 - 400,
        '2026-0' || 1 + n % 9 || '-0' || 1 + n % 7, '2026-03-01T00:00:00.000Z' from generate_series(1, $1) n`,
      [lines, ACCOUNT],
    )
    await world.pool.query(
      `insert into account_days_v1 select org, wallet, account, currency, effective_on, 'usual',
        sum(greatest(amount, 0)), sum(greatest(-amount, 0)), count(*) from postings_v2 group by 1, 2, 3, 4, 5`,
    )
    await world.pool.query(
      `insert into account_blocks_v4
        select org, wallet, account, currency, bits, revision >> bits, left(effective_on, 7), 'usual',
          sum(greatest(amount, 0)), sum(greatest(-amount, 0)), count(*), min(position), max(position), '2026-03-01',
          '2026-03-01'
        from postings_v2, unnest(array[11, 16]) bits where revision >= 512 group by 1, 2, 3, 4, 5, 6, 7`,
    )
    for (const order of ['effective', 'posted']) {
      let balance = 0n
      let count = 0
      for (const page of await pages(`${PATH}/statement?currency=EUR&limit=500&order=${order}`)) {
        expect(page.page_opening).to.equal(String(balance))
        for (const line of page.lines) {
          balance += BigInt(line.amount)
          count += 1
          if (line.balance !== String(balance)) expect.fail(`line ${count}: ${line.balance} is not ${balance}`)
        }
      }
      expect(count).to.equal(lines)
    }
  })
})
