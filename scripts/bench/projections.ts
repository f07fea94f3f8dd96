/** How fast a log becomes read models, against its bare drain and the bare bulk insert of the same rows. */
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { EventStoreDBClient, jsonEvent, START, streamNameFilter } from '@eventstore/db-client'
import { codec, domainStreamPrefixes, projections } from '../../infra/catalogue.ts'
import { importEvents } from '../../infra/embedded/event-store/care/transfer.ts'
import { startEmbeddedPostgres } from '../../infra/embedded/postgres.ts'
import { eventLog } from '../../infra/event-store/reader.ts'
import { silentLog } from '../../infra/log.ts'
import { migrate } from '../../infra/migrate.ts'
import { createPool, type Pool } from '../../infra/postgres.ts'
import { readCheckpoints } from '../../projections/ownership/checkpoints.ts'
import { createIndexes, createTables, tablesOf } from '../../projections/rows/tables.ts'
import { ensureIndexes } from '../../projections/runner/build.ts'
import { Runner } from '../../projections/runner/runner.ts'
import { type Running, start } from '../running.ts'
import { alone, type Figure, median } from './figure.ts'
import { writeLog } from './log.ts'
import { cpuOfTree } from './process-tree.ts'

/** Events of the largest log: 1,000,000 is what is promised for, 100,000 what a short run takes. */
const EVENTS = Number(process.env.KOGI_BENCH_EVENTS ?? 100_000)
const SIZES = [...[10_000, 100_000, 1_000_000].filter(size => size < EVENTS), EVENTS]
const LATENCY_EVENTS = 1_000
const LATENCY_PER_SECOND = 200

/** Starts a verb as users run it, from its build. */
const startBuilt = (args: readonly string[], env: Readonly<Record<string, string>>) =>
  start([fileURLToPath(new URL('../run.mjs', import.meta.url)), ...args], env, [])

/** Events projected per second into all read models, by the size of the log; how long a write takes to be visible. */
export async function projectionBench(): Promise<Figure[]> {
  const figures: Figure[] = []
  for (const size of SIZES) {
    const log = await openLog(size)
    try {
      figures.push(...(await rebuildFigures(log)))
      if (size === EVENTS) figures.push(...(await latency(log.store.url, log.pool)))
    } finally {
      await log.close()
    }
  }
  return figures
}

type Log = {
  readonly size: number
  readonly store: Running
  readonly postgresPid: number
  readonly databaseUrl: string
  readonly pool: Pool
  readonly close: () => Promise<void>
}

/** A store with so many events, and an empty database. */
async function openLog(size: number): Promise<Log> {
  const folder = await mkdtemp(path.join(tmpdir(), 'kogi-bench-projections-'))
  const file = path.join(folder, 'log.ndjson')
  await writeLog(file, size)
  await importEvents(path.join(folder, 'events'), file)
  await rm(file)
  const store = await startBuilt(['store', 'serve', '--data', path.join(folder, 'events'), '--port', '0'], {})
  const postgres = await startEmbeddedPostgres({ dataDir: folder, log: silentLog })
  const databaseUrl = postgres.url('kogi')
  const pool = createPool({ url: databaseUrl, name: 'read', log: silentLog, max: 10 })
  await migrate({ url: databaseUrl, set: 'read', log: silentLog })
  const close = async () => {
    await pool.end()
    await postgres.stop()
    await store.stop()
    await rm(folder, { recursive: true, force: true })
  }
  return { size, store, postgresPid: postgres.pid, databaseUrl, pool, close }
}

/** The whole log into all read models, indexes and all, by a projector process that starts with nothing. */
async function rebuildFigures({ size, store, postgresPid, databaseUrl, pool }: Log): Promise<Figure[]> {
  const cpu = { store: () => cpuOfTree(store.pid), postgres: () => cpuOfTree(postgresPid) }
  const before = { store: cpu.store(), own: process.cpuUsage() }
  const drainSeconds = await bareDrain(store.url, size)
  const own = process.cpuUsage(before.own)
  const drainCpu = cpu.store() - before.store + (own.user + own.system) / 1e6
  const begun = cpu.store() + cpu.postgres()
  const { seconds, peakBytes, projectorCpu } = await project(store.url, databaseUrl, pool)
  const rebuildCpu = projectorCpu + cpu.store() + cpu.postgres() - begun
  const mebibytes = await sizeOfTables(pool)
  const copied = cpu.postgres()
  const insertSeconds = await bareInsert(pool)
  const insertCpu = cpu.postgres() - copied
  const bareSeconds = Math.max(drainSeconds, insertSeconds)
  const perSecond = (time: number) => Math.round(size / time)
  const figure = (name: string, bare: number): Figure => {
    return { name, value: perSecond(seconds), unit: 'events/s', bare: perSecond(bare), ratio: bare / seconds }
  }
  const [perMillion, bare] = [(rebuildCpu * 1e6) / size, ((drainCpu + insertCpu) * 1e6) / size]
  return [
    figure(`projected_${size}_events_against_drain`, drainSeconds),
    figure(`projected_${size}_events_against_insert`, insertSeconds),
    { name: `rebuild_of_${size}_events`, value: seconds, unit: 's', bare: bareSeconds, ratio: seconds / bareSeconds },
    { name: `cpu_of_a_million_at_${size}`, value: perMillion, unit: 'CPU s', bare, ratio: perMillion / bare },
    alone(`projector_peak_memory_at_${size}`, peakBytes / 2 ** 20, 'MiB'),
    alone(`tables_of_${size}_events`, mebibytes, 'MiB'),
  ]
}

/** Of tables and indexes together. */
async function sizeOfTables(pool: Pool): Promise<number> {
  const tables = projections.flatMap(tablesOf)
  const { rows } = await pool.query<{ size: number }>(
    'select (sum(pg_total_relation_size(name::regclass)) / 1048576)::float8 as size from unnest($1::text[]) name',
    [tables],
  )
  return rows[0]!.size
}

/** Every domain event received by the stock client and counted. */
async function bareDrain(url: string, size: number): Promise<number> {
  const client = EventStoreDBClient.connectionString(url)
  const started = performance.now()
  const filter = streamNameFilter({ prefixes: [...domainStreamPrefixes] })
  const subscription = client.subscribeToAll({ fromPosition: START, filter })
  let count = 0
  await new Promise<void>((resolve, reject) => {
    subscription.on('data', () => {
      count += 1
      if (count === size) resolve()
    })
    subscription.on('error', reject)
  })
  const seconds = (performance.now() - started) / 1000
  await subscription.unsubscribe()
  await client.dispose()
  return seconds
}

type Projected = { readonly seconds: number; readonly peakBytes: number; readonly projectorCpu: number }

async function project(url: string, databaseUrl: string, pool: Pool): Promise<Projected> {
  const events = eventLog({ url, prefixes: domainStreamPrefixes })
  const head = await events.head()
  await events.close()
  const started = performance.now()
  const projector = await startBuilt(['projector', '--port', '0'], {
    KOGI_EVENTSTORE_URL: url,
    KOGI_DATABASE_URL: databaseUrl,
    // It asks for no keys; without an address it would start engines of its own for them.
    KOGI_KEYS_DATABASE_URL: databaseUrl,
  })
  for (;;) {
    const checkpoints = await readCheckpoints(pool)
    if (checkpoints.length > 0 && checkpoints.every(({ position }) => position >= head)) break
    await sleep(100)
  }
  // Those that the projector has not made yet it makes now: this waits for it.
  await ensureIndexes(pool, projections)
  const seconds = (performance.now() - started) / 1000
  const projectorCpu = cpuOfTree(projector.pid)
  const status = await readFile(`/proc/${projector.pid}/status`, 'utf8')
  await projector.stop()
  return { seconds, peakBytes: Number(/^VmHWM:\s+(\d+) kB/m.exec(status)![1]) * 1024, projectorCpu }
}

/** The same rows copied by the server into tables of the same kind, indexes built afterwards as the runner does. */
async function bareInsert(pool: Pool): Promise<number> {
  const tables = projections.flatMap(tablesOf)
  const { rows } = await pool.query<{ folder: string }>(`select current_setting('data_directory') as folder`)
  const fileOf = (table: string) => `'${rows[0]!.folder}/bench_${table}'`
  for (const table of tables) await pool.query(`copy ${table} to ${fileOf(table)}`)
  await pool.query('create schema bare')
  const client = await pool.connect()
  await client.query('set search_path to bare')
  for (const statement of projections.flatMap(createTables)) await client.query(statement)
  const started = performance.now()
  for (const table of tables) await client.query(`copy ${table} from ${fileOf(table)}`)
  await client.query('set wal_compression = off')
  for (const statement of projections.flatMap(createIndexes)) await client.query(statement)
  const seconds = (performance.now() - started) / 1000
  client.release(true)
  return seconds
}

/** From the acknowledgement of an append to the word that its position is visible. */
async function latency(url: string, pool: Pool): Promise<Figure[]> {
  const events = eventLog({ url, prefixes: domainStreamPrefixes })
  const runner = new Runner({ projections, events, pool, decode: codec.decode, log: silentLog, id: 'bench-live' })
  const client = EventStoreDBClient.connectionString(url)
  const listener = await pool.connect()
  const waiting = new Map<bigint, number>()
  const took: number[] = []
  listener.on('notification', ({ payload }) => {
    const now = performance.now()
    for (const [position, since] of waiting) {
      if (position > BigInt(payload!)) continue
      took.push(now - since)
      waiting.delete(position)
    }
  })
  await listener.query('listen kogi_checkpoints')
  while (!runner.workers.some(worker => worker.live)) await sleep(50)
  const appends: Promise<void>[] = []
  const started = performance.now()
  for (let n = 0; n < LATENCY_EVENTS; n += 1) {
    await sleep(Math.max(0, started + (n * 1000) / LATENCY_PER_SECOND - performance.now()))
    appends.push(
      client.appendToStream(`task-${crypto.randomUUID()}`, jsonEvent(created(n))).then(({ position }) => {
        waiting.set(position!.commit, performance.now())
      }),
    )
  }
  await Promise.all(appends)
  for (let tries = 0; waiting.size > 0 && tries < 100; tries += 1) await sleep(50)
  await runner.close()
  await Promise.allSettled([events.close(), client.dispose()])
  listener.release(true)
  const sorted = took.toSorted((a, b) => a - b)
  return [
    alone('write_to_visible_p50', median(sorted), 'ms'),
    alone('write_to_visible_p99', sorted[Math.floor(sorted.length * 0.99)]!, 'ms'),
  ]
}

function created(n: number) {
  const id = crypto.randomUUID()
  return {
    type: 'TaskCreated',
    data: { name: `Task ${n}`, status: 'open' },
    metadata: {
      $correlationId: id,
      $causationId: id,
      commandId: id,
      fingerprint: 'f'.repeat(64),
      org: `live-${n % 20}`,
      id,
      actor: { subject: 'bench', roles: [] },
      subjects: [],
      at: new Date().toISOString(),
      schema: 1,
    },
  }
}
