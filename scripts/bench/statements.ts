/**
 * What a statement of an account with very many entries costs, added up by days, or by blocks and months, against the
 * bare sum of all its postings.
 */
import type { Route } from '../../domain/kernel/route.ts'
import type { Pool } from '../../infra/postgres.ts'
import { auditLog } from '../../projections/audit/audit-log.ts'
import type { AnyProjection } from '../../projections/rows/projection.ts'
import { createIndexes, historyTableOf, tableOf } from '../../projections/rows/tables.ts'
import { accountBlocks, FIRST, NARROW, WIDE } from '../../projections/wallet/account-blocks.ts'
import { accountDays } from '../../projections/wallet/account-days.ts'
import { balances } from '../../projections/wallet/balances.ts'
import { postings } from '../../projections/wallet/postings.ts'
import { statementRoutes } from '../../read-api/wallet/statement.ts'
import type { Figure } from './figure.ts'
import { ask, emptyTables, timesOf, withReadStore } from './read-side.ts'

const SIZES = [200_000, 1_000_000]
/** Days that the entries count for: ten years. */
const DAYS = 3_650
const ROUNDS = 40
const BARE_ROUNDS = 5
const ACCOUNT = { id: 'w', account: 'main' }
const MODELS: readonly AnyProjection[] = [balances, postings, accountDays, accountBlocks, auditLog]

/** The 95th percentile of each question, at each size. */
export const statementBench = (): Promise<Figure[]> =>
  withReadStore(MODELS, async (pool, deps) => {
    const routes = statementRoutes(deps)
    const figures: Figure[] = []
    for (const size of SIZES) {
      await fill(pool, size)
      figures.push(...(await measured(routes, pool, size)))
    }
    return figures
  })

/** One account with so many postings, on days in no order. */
async function fill(pool: Pool, size: number): Promise<void> {
  await emptyTables(pool, MODELS)
  await pool.query(
    `insert into ${tableOf(postings)} (org, wallet, account, currency, revision, line, position, entry, external,
      amount, effective_on, posted_at) select 'acme', 'w', 'main', 'EUR', n, 0, n, 'e' || n, false, n % 1999 - 900,
      to_char(date '2016-01-01' + (n::bigint * 7919 % $2)::int, 'YYYY-MM-DD'),
      to_char(date '2016-01-01' + (n::bigint * $2 / $1)::int, 'YYYY-MM-DD') || 'T12:00:00.000Z'
      from generate_series(1, $1) n`,
    [size, DAYS],
  )
  await pool.query(
    `insert into ${tableOf(accountDays)} select org, wallet, account, currency, effective_on, 'usual',
      sum(greatest(amount, 0)), sum(greatest(-amount, 0)), count(*) from ${tableOf(postings)} group by 1, 2, 3, 4, 5`,
  )
  await pool.query(
    `insert into ${tableOf(accountBlocks)} select org, wallet, account, currency, bits, revision >> bits,
      left(effective_on, 7), 'usual', sum(greatest(amount, 0)), sum(greatest(-amount, 0)), count(*), min(position),
      max(position), min(left(posted_at, 10)), max(left(posted_at, 10))
      from ${tableOf(postings)}, unnest(array[${NARROW}, ${WIDE}]) bits where revision >= ${FIRST}
      group by 1, 2, 3, 4, 5, 6, 7`,
  )
  const account = `org, wallet, account, currency, places, minor_places, overdraft, type, status, balance, held,
    postings, revision, opened_at, updated_at`
  const values = `'acme', 'w', 'main', 'EUR', 2, 2, 'allowed', 'asset', 'open', 0, 0, ${size}, ${size},
    '2016-01-01T00:00:00.000Z', '2026-01-01T00:00:00.000Z'`
  await pool.query(`insert into ${tableOf(balances)} (${account}) values (${values})`)
  await pool.query(`insert into ${historyTableOf(balances)} (${account}, _position) values (${values}, 1)`)
  for (const model of MODELS) for (const sql of createIndexes(model)) await pool.query(sql)
  await pool.query(`update projection_checkpoints set position = ${size}`)
  await pool.query('vacuum analyze')
}

/** Each question; `page` asks for a page behind the first, which is one of the same question with these parameters. */
const QUESTIONS: Readonly<Record<string, { kind: string; query: string; known?: number; page?: string }>> = {
  statement_at_a_day: { kind: 'statement', query: 'effective_at=2021-06-15' },
  page_behind_the_first: { kind: 'statement', query: 'from=2017-01-01', page: 'to=2024-12-31' },
  end_of_day: { kind: 'end-of-day', query: 'from=2025-01-01' },
  statement_of_the_past: { kind: 'statement', query: 'effective_at=2021-06-15', known: 0.6 },
  page_of_the_past: { kind: 'statement', query: 'from=2017-01-01', page: 'to=2024-12-31', known: 0.6 },
  in_the_order_of_posting: { kind: 'statement', query: 'order=posted&from=2021-06-15' },
  page_in_the_order_of_posting: { kind: 'statement', query: 'order=posted&from=2017-01-01', page: 'to=2024-12-31' },
}

async function measured(routes: readonly Route[], pool: Pool, size: number): Promise<Figure[]> {
  const figures: Figure[] = []
  const bare = await p95(BARE_ROUNDS, () =>
    pool.query(`select sum(amount), count(*) from ${tableOf(postings)}
    where org = 'acme' and wallet = 'w' and account = 'main' and currency = 'EUR'`),
  )
  for (const [name, { kind, query, known, page }] of Object.entries(QUESTIONS)) {
    const route = routes.find(each => each.path.endsWith(kind))!
    const more = new URLSearchParams(page)
    if (known !== undefined) more.set('as_of', String(Math.round(size * known)))
    const asked = { ...Object.fromEntries([...new URLSearchParams(query), ...more]), currency: 'EUR', limit: '50' }
    const after = page === undefined ? {} : { after: (await ask(route, ACCOUNT, asked)).pagination!.next! }
    const value = await p95(ROUNDS, () => ask(route, ACCOUNT, { ...asked, ...after }))
    figures.push({ name: `${name}_of_${size}_entries_p95`, unit: 'ms', value, bare, ratio: value / bare })
  }
  return figures
}

async function p95(rounds: number, work: () => Promise<unknown>): Promise<number> {
  return (await timesOf(rounds, work))[Math.floor(rounds * 0.95)]!
}
