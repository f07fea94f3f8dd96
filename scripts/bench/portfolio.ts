/** A system whose org has 100,000 tasks and a portfolio, for measurements of what its clients ask. */
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { domainStreamPrefixes, projections } from '../../infra/catalogue.ts'
import { importEvents } from '../../infra/embedded/event-store/care/transfer.ts'
import { startEmbeddedPostgres } from '../../infra/embedded/postgres.ts'
import { eventLog } from '../../infra/event-store/reader.ts'
import { silentLog } from '../../infra/log.ts'
import { migrateAll } from '../../infra/migrate.ts'
import { createPool } from '../../infra/postgres.ts'
import { readCheckpoints } from '../../projections/ownership/checkpoints.ts'
import { ensureIndexes } from '../../projections/runner/build.ts'
import { kogi, startKogi } from '../running.ts'
import { writeLines } from './log.ts'
import { ORG, portfolioLog } from './portfolio-log.ts'

/** Tasks of the org: 100,000 is what is promised for. */
export const TASKS = Number(process.env.KOGI_BENCH_TASKS ?? 100_000)

export type Portfolio = {
  /** The read API, and the command API. */
  readonly reads: string
  readonly commands: string
  readonly tokenOf: (subject: string, role: string) => Promise<string>
  readonly events: number
  readonly projectedSeconds: number
  /** The processes that answer reads. */
  readonly pids: readonly number[]
  readonly close: () => Promise<void>
}

/** Makes the log, projects it, and serves it, each in processes of their own. */
export async function startPortfolio(): Promise<Portfolio> {
  const folder = await mkdtemp(path.join(tmpdir(), 'kogi-bench-center-'))
  const closing: (() => Promise<unknown>)[] = [() => rm(folder, { recursive: true, force: true })]
  const close = async () => {
    for (const each of closing.toReversed()) await each()
  }
  try {
    const file = path.join(folder, 'log.ndjson')
    const events = await writeLines(file, portfolioLog(TASKS))
    await importEvents(path.join(folder, 'events'), file)
    await rm(file)
    const store = await startKogi(['store', 'serve', '--data', path.join(folder, 'events'), '--port', '0'], {})
    closing.push(store.stop)
    const postgres = await startEmbeddedPostgres({ dataDir: folder, log: silentLog })
    closing.push(postgres.stop)
    const urls = { databaseUrl: postgres.url('kogi'), keysDatabaseUrl: postgres.url('kogi_keys') }
    await migrateAll(urls, silentLog)
    const env = {
      KOGI_DATA_DIR: folder,
      KOGI_EVENTSTORE_URL: store.url,
      KOGI_DATABASE_URL: urls.databaseUrl,
      KOGI_KEYS_DATABASE_URL: urls.keysDatabaseUrl,
      KOGI_PORT: '0',
    }
    const begun = performance.now()
    const projector = await startKogi(['projector'], env)
    closing.push(projector.stop)
    await projected(store.url, urls.databaseUrl)
    const projectedSeconds = (performance.now() - begun) / 1_000
    const [read, command] = [await startKogi(['read-api'], env), await startKogi(['command-api'], env)]
    closing.push(read.stop, command.stop)
    const tokenOf = (subject: string, role: string) =>
      kogi(['token', '--org', ORG, '--subject', subject, '--role', role], env)
    return {
      reads: read.url,
      commands: command.url,
      tokenOf,
      events,
      projectedSeconds,
      pids: [read.pid, postgres.pid],
      close,
    }
  } catch (error) {
    await close()
    throw error
  }
}

/** Waits until every read model is at the end of the log; then PostgreSQL looks at its tables, as it does later. */
async function projected(storeUrl: string, databaseUrl: string): Promise<void> {
  const log = eventLog({ url: storeUrl, prefixes: domainStreamPrefixes })
  const head = await log.head()
  await log.close()
  const pool = createPool({ url: databaseUrl, name: 'read', log: silentLog, max: 2 })
  for (;;) {
    const checkpoints = await readCheckpoints(pool)
    const stalled = checkpoints.find(({ state }) => state === 'stalled')
    if (stalled) throw new Error(`${stalled.projection} is stalled at ${stalled.position}`)
    if (checkpoints.length > 0 && checkpoints.every(({ position }) => position >= head)) break
    await sleep(200)
  }
  await ensureIndexes(pool, projections)
  await pool.query('vacuum analyze')
  await pool.end()
}
