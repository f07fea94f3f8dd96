import { expect } from 'chai'
import { tableOf } from '../../projections/rows/tables.ts'
import { accountDays } from '../../projections/wallet/account-days.ts'
import { accountMonths } from '../../projections/wallet/account-months.ts'
import { balances } from '../../projections/wallet/balances.ts'
import { makeWorld, type World } from './support.ts'

const ACCOUNTS = 1_000
/** More accounts than any answer has rows. */
const MANY = 30_000
const ROWS_DEFAULT = 1_000

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
  let rowsOfAnswers: number[] = []
  before(async () => {
    const watched = {
      async query(query: Query) {
        sent.push(query)
        const answer = await world.pool.query<unknown[]>({ ...query, values: [...query.values] })
        rowsOfAnswers.push(answer.rows.length)
        return answer
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
      ['vast', MANY],
    ] as const) {
      await world.pool.query(
        `insert into ${tableOf(accountDays)}
           (org, wallet, account, currency, effective_on, unit, credits, debits, lines)
         select '${org}', 'w', 'a' || n, 'EUR', '2026-01-01', 'usual', 0, 5, 1
         from generate_series(1, ${accounts}) n`,
      )
      await world.pool.query(
        `insert into ${tableOf(accountMonths)} (org, wallet, account, currency, month, unit, credits, debits, lines)
         select org, wallet, account, currency, left(effective_on, 7), unit, credits, debits, lines
         from ${tableOf(accountDays)} where org = '${org}'`,
      )
    }
    await world.pool.query(`vacuum analyze ${tableOf(balances)}, ${tableOf(accountDays)}, ${tableOf(accountMonths)}`)
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

  for (const name of ['trial-balance', 'balance-sheet'] as const) {
    it(`holds a page in memory, and has totals of all: ${name}`, async () => {
      rowsOfAnswers = []
      const { data, pagination } = await world.call('vast', `/kwlt/${name}`)
      const { totals, accounts = [], assets = [] } = data as Record<string, Record<string, string>[]>
      const sum = String(5 * MANY)
      expect(totals![0]).to.include(name === 'trial-balance' ? { credit: sum, debit: '0' } : { assets: `-${sum}` })
      expect([...accounts, ...assets]).to.have.length(ROWS_DEFAULT)
      expect(pagination).to.include({ has_more: true })
      expect(Math.max(...rowsOfAnswers)).to.be.below(ROWS_DEFAULT + 20)
    })
  }
})
