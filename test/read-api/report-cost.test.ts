import { expect } from 'chai'
import { tableOf } from '../../projections/rows/tables.ts'
import { accountDays } from '../../projections/wallet/account-days.ts'
import { balances } from '../../projections/wallet/balances.ts'
import { ACCOUNTS_MAX } from '../../read-api/wallet/reports/sums.ts'
import { makeWorld, type World } from './support.ts'

const ACCOUNTS = 1_000

type Query = { readonly text: string; readonly values: readonly unknown[] }
type Plan = {
  readonly 'Actual Rows': number
  readonly 'Actual Loops': number
  readonly 'Rows Removed by Filter'?: number
  readonly Plans?: readonly Plan[]
}

/** Rows that all steps of a plan look at together. */
const rowsOf = ({ Plans = [], ...plan }: Plan): number =>
  (plan['Actual Rows'] + (plan['Rows Removed by Filter'] ?? 0)) * plan['Actual Loops'] +
  Plans.reduce((sum, each) => sum + rowsOf(each), 0)

describe('read API: what a report costs', function cost() {
  this.timeout(60_000)
  let world: World
  let sent: Query[] = []
  before(async () => {
    const watched = {
      query(query: Query) {
        sent.push(query)
        return world.pool.query(query as never)
      },
    }
    world = await makeWorld({ pool: watched as never })
    await world.pool.query(
      `insert into ${tableOf(balances)} (org, wallet, account, currency, places, minor_places, overdraft, type, status,
         balance, held, postings, revision, opened_at, updated_at)
       select 'acme', 'w', 'a' || n, 'EUR', 2, 2, 'allowed', 'asset', 'open', 5, 0, 1, n, '', ''
       from generate_series(1, ${ACCOUNTS}) n`,
    )
    for (const [org, accounts] of [
      ['acme', ACCOUNTS],
      ['vast', ACCOUNTS_MAX + 1],
    ] as const) {
      await world.pool.query(
        `insert into ${tableOf(accountDays)}
           (org, wallet, account, currency, effective_on, unit, credits, debits, lines)
         select '${org}', 'w', 'a' || n, 'EUR', '2026-01-01', 'usual', 0, 5, 1
         from generate_series(1, ${accounts}) n`,
      )
    }
    await world.pool.query(`vacuum analyze ${tableOf(balances)}, ${tableOf(accountDays)}`)
    await world.move(1n)
  })
  after(() => world.close())

  for (const path of ['/kwlt/balance-sheet', '/kwlt/trial-balance', '/kwlt/income-statement', '/kwlt/cash-flow']) {
    it(`grows with the accounts, and no faster: ${path}`, async () => {
      sent = []
      const answer = await world.call('acme', path)
      expect(answer.status, JSON.stringify(answer)).to.equal(200)
      const { text, values } = sent.at(-1)!
      const { rows } = await world.pool.query(`explain (analyze, format json) ${text}`, [...values])
      expect(rowsOf(rows[0]['QUERY PLAN'][0].Plan)).to.be.below(40 * ACCOUNTS)
    })
  }

  it('is refused for more accounts than an answer holds', async () => {
    expect(await world.call('vast', '/kwlt/trial-balance')).to.include({ code: 'report_too_large' })
  })
})
