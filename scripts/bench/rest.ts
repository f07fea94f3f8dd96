/** What `npm start` takes on a folder that is there, and what all of its processes take while nothing happens. */
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { createInterface } from 'node:readline'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import pg from 'pg'
import { alone, type Figure } from './figure.ts'
import { cpuOfTree } from './process-tree.ts'

const RUN = fileURLToPath(new URL('../run.mjs', import.meta.url))
/**
 * Until nothing is left of the start: indexes are there, the log is asked less often, PostgreSQL knows its tables, and
 * V8 has given back the memory of the start, which takes it half a second of processor about 90 s in.
 */
const SETTLE_MS = 150_000
const MEASURE_MS = 60_000

/** Seconds and CPU seconds to the line `ready` at a second start; then CPU and updated rows at rest. */
export async function restBench(): Promise<Figure[]> {
  const data = await mkdtemp(path.join(tmpdir(), 'kogi-bench-rest-'))
  try {
    const first = await ready(data)
    await stopped(first)
    const begun = performance.now()
    const child = await ready(data)
    const seconds = (performance.now() - begun) / 1000
    const start = alone('start_to_ready', seconds, 's')
    const startCpu = alone('start_to_ready_cpu', cpuOfTree(child.pid!), 's')
    try {
      return [start, startCpu, ...(await atRest(data, child.pid!))]
    } finally {
      await stopped(child)
    }
  } finally {
    await rm(data, { recursive: true, force: true })
  }
}

async function atRest(data: string, pid: number): Promise<Figure[]> {
  const { databaseUrl } = JSON.parse(await readFile(path.join(data, 'running.json'), 'utf8'))
  const client = new pg.Client({ connectionString: databaseUrl })
  await client.connect()
  const updated = async () => Number((await client.query('select sum(tup_updated) n from pg_stat_database')).rows[0].n)
  await sleep(SETTLE_MS)
  const before = { cpu: cpuOfTree(pid), rows: await updated() }
  await sleep(MEASURE_MS)
  const seconds = MEASURE_MS / 1000
  const [cpu, rows] = [(cpuOfTree(pid) - before.cpu) / seconds, ((await updated()) - before.rows) / seconds]
  await client.end()
  return [alone('cpu_at_rest', cpu * 100, '% of a core'), alone('rows_updated_at_rest', rows, '1/s')]
}

/** Starts everything as `npm start` does, without the loader of this process. */
async function ready(data: string): Promise<ChildProcess> {
  const child = spawn(process.execPath, [RUN, 'dev', '--port', '0', '--data', data], {
    env: { ...process.env, KOGI_LOG_LEVEL: 'error' },
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  await once(createInterface({ input: child.stdout! }), 'line')
  return child
}

async function stopped(child: ChildProcess): Promise<void> {
  const exited = once(child, 'exit')
  child.kill('SIGTERM')
  await exited
}
