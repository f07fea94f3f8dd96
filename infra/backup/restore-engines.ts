/** The engines that a restore fills: those that the configuration names, or embedded ones that nothing else has. */
import path from 'node:path'
import { KogiError } from '../../domain/kernel/errors.ts'
import { ENTRY, startChild } from '../children.ts'
import { type Config, EMBEDDED } from '../config.ts'
import { startEmbeddedPostgres } from '../embedded/postgres.ts'
import { type EngineUrls, runningEngines } from '../engines.ts'
import type { Log } from '../log.ts'

export type RestoreEngines = {
  readonly databaseUrl: string
  readonly keysDatabaseUrl: string
  /** Folder of the embedded event store; `undefined` where the configuration names a store. */
  readonly storeFolder: string | undefined
  /** The event store's connection string; the embedded one is started at the first call. */
  readonly storeUrl: () => Promise<string>
  readonly close: () => Promise<void>
}

/** Opens the databases. The embedded event store is not started yet, because its folder is filled while it is shut. */
export async function openRestoreEngines(config: Config, log: Log): Promise<RestoreEngines> {
  const running = await runningEngines(config)
  if (running) {
    const message = `Process ${running.pid} runs on ${config.dataDir}: restore into another folder, or stop it.`
    throw new KogiError('already_running', message)
  }
  const wantsPostgres = [config.databaseUrl, config.keysDatabaseUrl].includes(EMBEDDED)
  const postgres = wantsPostgres ? await startEmbeddedPostgres({ dataDir: config.dataDir, log }) : undefined
  const storeFolder = config.eventStoreUrl === EMBEDDED ? path.join(config.dataDir, 'events') : undefined
  let store: ReturnType<typeof startChild> | undefined
  const startStore = (data: string) => {
    store ??= startChild({ name: 'store', args: [ENTRY, 'store', 'serve', '--data', data, '--port', '0'] })
    return store
  }
  return {
    databaseUrl: config.databaseUrl === EMBEDDED ? postgres!.url('kogi') : config.databaseUrl,
    keysDatabaseUrl: config.keysDatabaseUrl === EMBEDDED ? postgres!.url('kogi_keys') : config.keysDatabaseUrl,
    storeFolder,
    storeUrl: async () =>
      storeFolder === undefined ? config.eventStoreUrl : (await startStore(storeFolder)).firstLine,
    async close() {
      const started = await store?.catch(() => undefined)
      await Promise.all([started?.stop(), postgres?.stop()])
    },
  }
}

/** The connection strings of all engines. */
export async function urlsOf(engines: RestoreEngines): Promise<EngineUrls> {
  const { databaseUrl, keysDatabaseUrl, storeUrl } = engines
  return { databaseUrl, keysDatabaseUrl, eventStoreUrl: await storeUrl() }
}
