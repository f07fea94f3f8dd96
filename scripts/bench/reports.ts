/** What reports over many accounts cost, against the bare sum of their balances. */
import type { Pool } from '../../infra/postgres.ts'
import type { AnyProjection } from '../../projections/rows/projection.ts'
import { createIndexes, historyTableOf, tableOf } from '../../projections/rows/tables.ts'
import { accountDays } from '../../projections/wallet/account-days.ts'
import { accountMonths } from '../../projections/wallet/account-months.ts'
import { balances } from '../../projections/wallet/balances.ts'
import { charts } from '../../projections/wallet/charts.ts'
import { entries } from '../../projections/wallet/entries.ts'
import { holdings } from '../../projections/wallet/holdings.ts'
import { investments } from '../../projections/wallet/investments.ts'
import { postings } from '../../projections/wallet/postings.ts'
import { ratePairs } from '../../projections/wallet/rate-pairs.ts'
import { rates } from '../../projections/wallet/rates.ts'
import { walletUsers } from '../../projections/wallet/wallet-users.ts'
import { wallets } from '../../projections/wallet/wallets.ts'
import { netWorthRoute } from '../../read-api/wallet/net-worth.ts'
import { reportRoutes } from '../../read-api/wallet/reports/routes.ts'
import { type Figure, median } from './figure.ts'
import { ask, emptyTables, ORG, timesOf, withReadStore } from './read-side.ts'

const ACCOUNTS = 5_000
const WALLETS = 250
/** Days of each account on which something was posted: 150,000 rows in all. */
const DAYS = 30
const ROUNDS = 41
const MODELS: readonly AnyProjection[] = [
  ...[balances, accountDays, accountMonths, postings, entries, charts, wallets, walletUsers],
  ...[holdings, investments, rates, ratePairs],
]

/** The median of each report of the organization. */
export const reportBench = (): Promise<Figure[]> =>
  withReadStore(MODELS, async (pool, deps) => {
    await fill(pool)
    const asked = {
      net_worth: [netWorthRoute(deps), { currency: 'EUR' }],
      net_worth_of_a_past_day: [netWorthRoute(deps), { currency: 'EUR', day: '2026-01-15' }],
      trial_balance_of_a_past_day: [
        reportRoutes(deps).find(({ path }) => path === '/kwlt/trial-balance')!,
        { at: '2026-01-15' },
      ],
      ...Object.fromEntries(
        reportRoutes(deps)
          .filter(({ path }) => !path.includes(':id'))
          .map(route => [route.path.slice('/kwlt/'.length).replaceAll('-', '_'), [route, {}]]),
      ),
    } as Record<string, [ReturnType<typeof netWorthRoute>, Record<string, string>]>
    const text = `select currency, sum(balance) from ${tableOf(balances)} where org = $1 group by 1`
    const bare = median(await timesOf(ROUNDS, () => pool.query(text, [ORG])))
    const figures: Figure[] = []
    for (const [name, [route, query]] of Object.entries(asked)) {
      const value = median(await timesOf(ROUNDS, () => ask(route, {}, query)))
      figures.push({ name: `${name}_of_${ACCOUNTS}_accounts_p50`, unit: 'ms', value, bare, ratio: value / bare })
    }
    return figures
  })

async function fill(pool: Pool): Promise<void> {
  await emptyTables(pool, MODELS)
  const each = `generate_series(0, ${ACCOUNTS - 1}) n`
  await pool.query(
    `insert into ${tableOf(balances)} (org, wallet, account, currency, places, minor_places, overdraft, type, status,
       balance, held, postings, last_on, revision, opened_at, updated_at)
     select '${ORG}', 'w' || n % ${WALLETS}, 'a' || n, (array['EUR', 'USD'])[1 + n % 2], 2, 2, 'allowed',
       (array['asset', 'asset', 'liability', 'income', 'expense'])[1 + n % 5], 'open', n * ${DAYS}, 0, ${DAYS},
       '2026-01-30', n, '2026-01-01T00:00:00.000Z', '2026-01-30T00:00:00.000Z' from ${each}`,
  )
  await pool.query(`insert into ${historyTableOf(balances)} select b.*, 1 from ${tableOf(balances)} b`)
  await pool.query(
    `insert into ${tableOf(accountDays)} (org, wallet, account, currency, effective_on, unit, credits, debits, lines)
     select '${ORG}', 'w' || n % ${WALLETS}, 'a' || n, (array['EUR', 'USD'])[1 + n % 2],
       to_char(date '2026-01-01' + d, 'YYYY-MM-DD'), 'usual', n, 0, 1 from ${each}, generate_series(0, ${DAYS - 1}) d`,
  )
  await pool.query(
    `insert into ${tableOf(accountMonths)} (org, wallet, account, currency, month, unit, credits, debits, lines)
     select org, wallet, account, currency, left(effective_on, 7), unit, sum(credits), sum(debits), sum(lines)
     from ${tableOf(accountDays)} group by 1, 2, 3, 4, 5, 6`,
  )
  await pool.query(
    `insert into ${tableOf(wallets)} (org, id, owner, kind, status, accounts, revision, opened_at, updated_at)
     select '${ORG}', 'w' || n, 'mira', 'business', 'open', ${ACCOUNTS / WALLETS}, n, '', ''
     from generate_series(0, ${WALLETS - 1}) n`,
  )
  const rate = `'${ORG}', 'ecb', 'USD', 'EUR'`
  await pool.query(`insert into ${tableOf(ratePairs)} (org, source, base, quote, first_day, last_day)
    values (${rate}, '2026-01-01', '2026-01-01')`)
  await pool.query(`insert into ${tableOf(rates)} (org, source, base, quote, day, rate, position, valid_until,
    recorded_by, recorded_at) values (${rate}, '2026-01-01', '0.92', 1, '9999-12-31', 'mira', '')`)
  for (const model of MODELS) for (const sql of createIndexes(model)) await pool.query(sql)
  await pool.query('update projection_checkpoints set position = 1')
  await pool.query('vacuum analyze')
}
