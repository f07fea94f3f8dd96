/** Finds the engines of a process: configured ones, those of a running system on the same data, or its own ones. */
import { readFile, rename, rm, writeFile } from 'node:fs/promises'
import path from 'node:path'
import { z } from 'zod'
import { supervise, superviseVerb } from './children.ts'
import { type Config, EMBEDDED } from './config.ts'
import { startEmbeddedPostgres } from './embedded/postgres.ts'
import { describeProcess } from './embedded/processes.ts'
import { freePort } from './free-port.ts'
import type { Log } from './log.ts'

/** Connection strings of the engines. */
export type EngineUrls = {
  readonly eventStoreUrl: string
  readonly databaseUrl: string
  readonly keysDatabaseUrl: string
}
export type Engines = EngineUrls & {
  /** Which process runs the embedded ones; `configuration` where every engine is named in the configuration. */
  readonly runBy: 'this process' | 'another process' | 'configuration'
  readonly close: () => Promise<void>
}

const runningSchema = z.object({
  pid: z.int(),
  eventStoreUrl: z.string(),
  databaseUrl: z.string(),
  keysDatabaseUrl: z.string(),
})

/** Longest time that a starting system needs to write where its engines answer. */
const STARTING_MS_MAX = 5_000

const runningFile = (config: Config) => path.join(config.dataDir, 'running.json')

/** The engines that another live process runs on this data folder, if there is one. */
export async function runningEngines(config: Config): Promise<(EngineUrls & { readonly pid: number }) | undefined> {
  const text = await readFile(runningFile(config), 'utf8').catch(() => undefined)
  const parsed = text === undefined ? undefined : runningSchema.safeParse(parseJson(text))
  if (!parsed?.success || parsed.data.pid === process.pid) return undefined
  return (await describeProcess(parsed.data.pid)) ? parsed.data : undefined
}

/** Opens the engines; starts the embedded ones that the configuration asks for and no other process runs yet. */
export async function openEngines(config: Config, log: Log): Promise<Engines> {
  const named = [config.eventStoreUrl, config.databaseUrl, config.keysDatabaseUrl]
  if (!named.includes(EMBEDDED)) return { ...configured(config), runBy: 'configuration', close: async () => {} }
  const running = await runningEngines(config)
  if (running) return { ...configured(config, running), runBy: 'another process', close: async () => {} }

  let started: Awaited<ReturnType<typeof startBoth>>
  try {
    started = await startBoth(config, log)
  } catch (error) {
    // Another process may have taken the folder a moment ago and not yet written where its engines answer.
    const other = await appearing(config)
    if (!other) throw error
    return { ...configured(config, other), runBy: 'another process', close: async () => {} }
  }
  const [store, postgres] = started
  const urls = configured(config, {
    eventStoreUrl: store?.first.firstLine ?? '',
    databaseUrl: postgres?.first.url('kogi') ?? '',
    keysDatabaseUrl: postgres?.first.url('kogi_keys') ?? '',
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

/** Waits for the engines of another process that has the folder and is still starting. */
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
    wantsPostgres ? startPostgres(config, log) : undefined,
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

/** PostgreSQL, on a port that stays the same over its restarts. */
async function startPostgres({ dataDir }: Config, log: Log) {
  const port = await freePort()
  return supervise('PostgreSQL', log, () => startEmbeddedPostgres({ dataDir, log, port }))
}

/** The event store in a process of its own, on a port that stays the same over its restarts. */
async function startStore(config: Config, log: Log) {
  const port = await freePort()
  const data = path.join(config.dataDir, 'events')
  return superviseVerb({ name: 'store', args: ['store', 'serve', '--data', data, '--port', String(port)], log })
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
