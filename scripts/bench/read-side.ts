/** Read models of a benchmark's own in a real PostgreSQL, filled by SQL, and what routes over them need. */
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import pg from 'pg'
import type { ApiRequest, Route } from '../../domain/kernel/route.ts'
import { guards } from '../../infra/catalogue.ts'
import { startEmbeddedPostgres } from '../../infra/embedded/postgres.ts'
import { silentLog } from '../../infra/log.ts'
import { migrate } from '../../infra/migrate.ts'
import { createPool, type Pool } from '../../infra/postgres.ts'
import { ensureCheckpoints } from '../../projections/ownership/checkpoints.ts'
import type { AnyProjection } from '../../projections/rows/projection.ts'
import { createTables, historyTableOf, tableOf } from '../../projections/rows/tables.ts'
import { followCheckpoints } from '../../read-api/checkpoint-signal.ts'
import type { ReadStore } from '../../read-api/consistency.ts'
import { keepMoments } from '../../read-api/moments.ts'
import { followVersions } from '../../read-api/versions.ts'

/** The org that all rows are of. */
export const ORG = 'acme'

/** Starts a database and gives it to `work`, with what routes over `models` need. */
export async function withReadStore<T>(
  models: readonly AnyProjection[],
  work: (pool: Pool, deps: ReadStore) => Promise<T>,
): Promise<T> {
  const folder = await mkdtemp(path.join(tmpdir(), 'kogi-bench-reads-'))
  const postgres = await startEmbeddedPostgres({ dataDir: folder, log: silentLog })
  const url = postgres.url('kogi')
  await migrate({ url, set: 'read', log: silentLog })
  const pool = createPool({ url, name: 'read', log: silentLog, max: 4 })
  const signal = followCheckpoints({
    serves: models,
    async connect() {
      const client = new pg.Client({ connectionString: url })
      await client.connect()
      return client
    },
  })
  try {
    return await work(pool, { pool, signal, versions: followVersions(pool), moments: keepMoments(pool), guards })
  } finally {
    await signal.close()
    await pool.end()
    await postgres.stop()
    await rm(folder, { recursive: true, force: true })
  }
}

/** Makes the tables of models anew, without their indexes. */
export async function emptyTables(pool: Pool, models: readonly AnyProjection[]): Promise<void> {
  for (const model of models) {
    for (const table of model.history ? [tableOf(model), historyTableOf(model)] : [tableOf(model)]) {
      await pool.query(`drop table if exists ${table}`)
    }
    for (const sql of createTables(model)) await pool.query(sql)
    await ensureCheckpoints(pool, [model])
  }
}

/** The times that the rounds took, in ms, in order. */
export async function timesOf(rounds: number, work: () => Promise<unknown>): Promise<readonly number[]> {
  const times: number[] = []
  for (let n = 0; n < rounds; n += 1) {
    const begun = performance.now()
    await work()
    times.push(performance.now() - begun)
  }
  return times.toSorted((a, b) => a - b)
}

/** Asks a route, as its server would. */
export const ask = (route: Route, params: ApiRequest['params'], query: Record<string, string>) =>
  route.handle({
    principal: { subject: 'bench', org: ORG, roles: [], permissions: ['*'] },
    params,
    query,
    body: undefined,
    header: () => undefined,
    correlationId: 'bench',
    signal: new AbortController().signal,
  })
