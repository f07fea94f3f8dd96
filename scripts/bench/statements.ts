/**
 * What a statement of an account with very many entries costs, added up by days, against the same question added up
 * posting by posting, which `as_of` at the head asks.
 */
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import pg from 'pg'
import type { Route } from '../../domain/kernel/route.ts'
import { startEmbeddedPostgres } from '../../infra/embedded/postgres.ts'
import { silentLog } from '../../infra/log.ts'
import { migrate } from '../../infra/migrate.ts'
import { createPool, type Pool } from '../../infra/postgres.ts'
import { auditLog } from '../../projections/audit/audit-log.ts'
import { ensureCheckpoints } from '../../projections/ownership/checkpoints.ts'
import type { AnyProjection } from '../../projections/rows/projection.ts'
import { createIndexes, createTables, historyTableOf, tableOf } from '../../projections/rows/tables.ts'
import { accountDays } from '../../projections/wallet/account-days.ts'
import { balances } from '../../projections/wallet/balances.ts'
import { postings } from '../../projections/wallet/postings.ts'
import { followCheckpoints } from '../../read-api/checkpoint-signal.ts'
import { keepMoments } from '../../read-api/moments.ts'
import { followVersions } from '../../read-api/versions.ts'
import { statementRoutes } from '../../read-api/wallet/statement.ts'
import type { Figure } from './figure.ts'

const SIZES = [200_000, 1_000_000]
/** Days that the entries count for: ten years. */
const DAYS = 3_650
const ROUNDS = 40
const MODELS: readonly AnyProjection[] = [balances, postings, accountDays, auditLog]

/** The 95th percentile of each question, at each size. */
export async function statementBench(): Promise<Figure[]> {
  const folder = await mkdtemp(path.join(tmpdir(), 'kogi-bench-statements-'))
  const postgres = await startEmbeddedPostgres({ dataDir: folder, log: silentLog })
  const url = postgres.url('kogi')
  await migrate({ url, set: 'read', log: silentLog })
  const pool = createPool({ url, name: 'read', log: silentLog, max: 4 })
  const signal = followCheckpoints({
    serves: MODELS,
    async connect() {
      const client = new pg.Client({ connectionString: url })
      await client.connect()
      return client
    },
  })
  try {
    const deps = { pool, signal, versions: followVersions(pool), moments: keepMoments(pool) }
    const routes = statementRoutes(deps)
    const figures: Figure[] = []
    for (const size of SIZES) {
      await fill(pool, size)
      figures.push(...(await measured(routes, size)))
    }
    return figures
  } finally {
    await signal.close()
    await pool.end()
    await postgres.stop()
    await rm(folder, { recursive: true, force: true })
  }
}

/** One account with so many postings, on days in no order. */
async function fill(pool: Pool, size: number): Promise<void> {
  for (const model of MODELS) {
    for (const table of model.history ? [tableOf(model), historyTableOf(model)] : [tableOf(model)]) {
      await pool.query(`drop table if exists ${table}`)
    }
    for (const sql of createTables(model)) await pool.query(sql)
    await ensureCheckpoints(pool, model)
  }
  await pool.query(
    `insert into ${tableOf(postings)} (org, wallet, account, currency, revision, line, position, entry, external,
      amount, effective_on, posted_at) select 'acme', 'w', 'main', 'EUR', n, 0, n, 'e' || n, false, n % 1999 - 900,
      to_char(date '2016-01-01' + (n::bigint * 7919 % $2)::int, 'YYYY-MM-DD'), '2026-01-01T00:00:00.000Z'
      from generate_series(1, $1) n`,
    [size, DAYS],
  )
  await pool.query(
    `insert into ${tableOf(accountDays)} select org, wallet, account, currency, effective_on, 'usual',
      sum(greatest(amount, 0)), sum(greatest(-amount, 0)), count(*) from ${tableOf(postings)} group by 1, 2, 3, 4, 5`,
  )
  const account = `org, wallet, account, currency, places, minor_places, overdraft, status, balance, held, postings,
    revision, opened_at, updated_at`
  const values = `'acme', 'w', 'main', 'EUR', 2, 2, 'allowed', 'open', 0, 0, ${size}, ${size},
    '2016-01-01T00:00:00.000Z', '2026-01-01T00:00:00.000Z'`
  await pool.query(`insert into ${tableOf(balances)} (${account}) values (${values})`)
  await pool.query(`insert into ${historyTableOf(balances)} (${account}, _position) values (${values}, 1)`)
  for (const model of MODELS) for (const sql of createIndexes(model)) await pool.query(sql)
  await pool.query(`update projection_checkpoints set position = ${size}`)
  await pool.query('vacuum analyze')
}

const QUESTIONS = {
  statement_at_a_day: ['statement', 'effective_at=2021-06-15'],
  page_behind_the_first: ['statement', 'from=2017-01-01'],
  end_of_day: ['end-of-day', 'from=2025-01-01'],
} as const

async function measured(routes: readonly Route[], size: number): Promise<Figure[]> {
  const figures: Figure[] = []
  for (const [name, [kind, query]] of Object.entries(QUESTIONS)) {
    const route = routes.find(each => each.path.endsWith(kind))!
    const p95 = async (rounds: number, more: Record<string, string>) => {
      const asked = { ...Object.fromEntries(new URLSearchParams(query)), currency: 'EUR', limit: '50', ...more }
      const first = name === 'page_behind_the_first' ? await ask(route, { ...asked, to: '2024-12-31' }) : undefined
      const page = first ? { ...asked, to: '2024-12-31', after: first.pagination!.next! } : asked
      const times: number[] = []
      for (let n = 0; n < rounds; n += 1) {
        const begun = performance.now()
        await ask(route, page)
        times.push(performance.now() - begun)
      }
      return times.toSorted((a, b) => a - b)[Math.floor(rounds * 0.95)]!
    }
    const [value, bare] = [await p95(ROUNDS, {}), await p95(5, { as_of: String(size) })]
    figures.push({ name: `${name}_of_${size}_entries_p95`, unit: 'ms', value, bare, ratio: value / bare })
  }
  return figures
}

const ask = (route: Route, query: Record<string, string>) =>
  route.handle({
    principal: { subject: 'bench', org: 'acme', roles: [], permissions: ['*'] },
    params: { id: 'w', account: 'main' },
    query,
    body: undefined,
    header: () => undefined,
    correlationId: 'bench',
    signal: new AbortController().signal,
  })
