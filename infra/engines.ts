/** Which engines a command talks to: the configured ones, those of a running system on the same data, or its own. */
import { readFile, rename, rm, writeFile } from 'node:fs/promises'
import { createServer } from 'node:net'
import path from 'node:path'
import { z } from 'zod'
import { supervise } from './children.ts'
import { type Config, EMBEDDED } from './config.ts'
import { startEmbeddedPostgres } from './embedded/postgres.ts'
import { describeProcess } from './embedded/processes.ts'
import type { Log } from './log.ts'

/** Where the engines answer. */
export type EngineUrls = {
  readonly eventStoreUrl: string
  readonly databaseUrl: string
  readonly keysDatabaseUrl: string
}
export type Engines = EngineUrls & {
  /** Who runs the embedded ones: this process, another one on the same data, or nobody where all are configured. */
  readonly runBy: 'this process' | 'another process' | 'configuration'
  readonly close: () => Promise<void>
}

const runningSchema = z.object({
  pid: z.int(),
  eventStoreUrl: z.string(),
  databaseUrl: z.string(),
  keysDatabaseUrl: z.string(),
})

const RESTART_MS_MIN = 100
const RESTART_MS_MAX = 5_000
/** How long a system that starts may take to say where its engines are. */
const STARTING_MS_MAX = 5_000

const runningFile = (config: Config) => path.join(config.dataDir, 'running.json')

/** The engines that another live process runs on this data folder, if there is one. */
export async function runningEngines(config: Config): Promise<(EngineUrls & { readonly pid: number }) | undefined> {
  const text = await readFile(runningFile(config), 'utf8').catch(() => undefined)
  const parsed = text === undefined ? undefined : runningSchema.safeParse(parseJson(text))
  if (!parsed?.success || parsed.data.pid === process.pid) return undefined
  return (await describeProcess(parsed.data.pid)) ? parsed.data : undefined
}

/** Opens the engines; starts the embedded ones that nobody runs yet and that the configuration asks for. */
export async function openEngines(config: Config, log: Log): Promise<Engines> {
  const named = [config.eventStoreUrl, config.databaseUrl, config.keysDatabaseUrl]
  if (!named.includes(EMBEDDED)) return { ...configured(config), runBy: 'configuration', close: async () => {} }
  const running = await runningEngines(config)
  if (running) return { ...configured(config, running), runBy: 'another process', close: async () => {} }

  let started: Awaited<ReturnType<typeof startBoth>>
  try {
    started = await startBoth(config, log)
  } catch (error) {
    // whoever has the folder may be starting at this very moment
    const other = await appearing(config)
    if (!other) throw error
    return { ...configured(config, other), runBy: 'another process', close: async () => {} }
  }
  const [store, postgres] = started
  const urls = configured(config, {
    eventStoreUrl: store?.firstLine ?? '',
    databaseUrl: postgres?.url('kogi') ?? '',
    keysDatabaseUrl: postgres?.url('kogi_keys') ?? '',
  })
  const draft = `${runningFile(config)}.${process.pid}`
  await writeFile(draft, JSON.stringify({ pid: process.pid, ...urls }), { mode: 0o600 })
  await rename(draft, runningFile(config))
  const close = async () => {
    await rm(runningFile(config), { force: true })
    await Promise.all([store?.stop(), postgres?.stop()])
  }
  return { ...urls, runBy: 'this process', close }
}

/** The engines of a process that is about to say where they are. */
async function appearing(config: Config) {
  for (let waited = 0; waited < STARTING_MS_MAX; waited += 100) {
    const running = await runningEngines(config)
    if (running) return running
    await new Promise(resolve => setTimeout(resolve, 100))
  }
  return undefined
}

async function startBoth(config: Config, log: Log) {
  const wantsPostgres = [config.databaseUrl, config.keysDatabaseUrl].includes(EMBEDDED)
  const starting = [
    config.eventStoreUrl === EMBEDDED ? startStore(config, log) : undefined,
    wantsPostgres ? supervisePostgres(config, log) : undefined,
  ] as const
  try {
    return await Promise.all(starting)
  } catch (error) {
    for (const engine of await Promise.allSettled(starting)) {
      if (engine.status === 'fulfilled') await engine.value?.stop()
    }
    throw error
  }
}

/** PostgreSQL, started again on the same port whenever it dies. */
async function supervisePostgres({ dataDir }: Config, log: Log) {
  const port = await freePort()
  let server = await startEmbeddedPostgres({ dataDir, log, port })
  const { url } = server
  let stopping = false
  const watch = async () => {
    for (let delayMs = RESTART_MS_MIN; ; ) {
      await server.exited
      if (stopping) return
      log.error({ delayMs }, 'PostgreSQL died and is started again')
      await new Promise(resolve => setTimeout(resolve, delayMs))
      try {
        if (!stopping) server = await startEmbeddedPostgres({ dataDir, log, port })
        delayMs = RESTART_MS_MIN
      } catch (error) {
        delayMs = Math.min(delayMs * 2, RESTART_MS_MAX)
        log.error({ err: error, delayMs }, 'PostgreSQL could not be started again')
      }
    }
  }
  const watching = watch()
  return {
    url,
    async stop() {
      stopping = true
      await server.stop()
      await watching
    },
  }
}

/** The event store in a process of its own, on a port that stays the same over its restarts. */
async function startStore(config: Config, log: Log) {
  const port = await freePort()
  const data = path.join(config.dataDir, 'events')
  return supervise({ name: 'store', args: ['store', 'serve', '--data', data, '--port', String(port)], log })
}

/** A loopback port that nobody uses at the moment. */
export async function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer()
    server.once('error', reject)
    server.listen(0, '127.0.0.1', () => {
      const { port } = server.address() as { port: number }
      server.close(() => resolve(port))
    })
  })
}

const configured = (config: Config, embedded?: EngineUrls): EngineUrls => ({
  eventStoreUrl: config.eventStoreUrl === EMBEDDED ? embedded!.eventStoreUrl : config.eventStoreUrl,
  databaseUrl: config.databaseUrl === EMBEDDED ? embedded!.databaseUrl : config.databaseUrl,
  keysDatabaseUrl: config.keysDatabaseUrl === EMBEDDED ? embedded!.keysDatabaseUrl : config.keysDatabaseUrl,
})

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}
