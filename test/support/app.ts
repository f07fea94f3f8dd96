import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { issueToken } from '../../infra/auth/dev-keys.ts'
import { type Config, loadConfig } from '../../infra/config.ts'
import { startEventStore } from '../../infra/embedded/event-store/index.ts'
import type { EngineUrls } from '../../infra/engines.ts'
import { createLifecycle } from '../../infra/http/lifecycle.ts'
import { silentLog } from '../../infra/log.ts'
import { startApi } from '../../infra/processes/api.ts'
import { startProjector } from '../../infra/processes/projector.ts'
import { startWorker } from '../../infra/processes/worker.ts'
import { type Client, client, untilReady } from './client.ts'
import { patientSettings } from './pace.ts'
import { freshDatabase } from './postgres.ts'
import { keyTables, readModels } from './templates.ts'

/** The whole system inside the test's process, on the real embedded engines. */
export type App = {
  readonly url: string
  readonly urls: EngineUrls
  readonly config: Config
  readonly clientOf: (org: string, role?: string, subject?: string, teams?: readonly string[]) => Promise<Client>
  readonly close: () => Promise<void>
}

/** Starts store, both APIs and a projector, and a worker where asked. `through` may put something between them. */
export async function startApp(
  options: {
    env?: Record<string, string>
    through?: (urls: EngineUrls) => Promise<EngineUrls>
    worker?: true
    pausesMs?: readonly number[]
  } = {},
): Promise<App> {
  const { env, through = async urls => urls } = options
  const pauses = options.pausesMs && { pausesMs: options.pausesMs }
  const dataDir = await mkdtemp(path.join(tmpdir(), 'kogi-app-'))
  const config = loadConfig({ KOGI_DATA_DIR: dataDir, KOGI_PORT: '0', ...patientSettings(), ...env })
  const store = await startEventStore({ memory: true })
  const [databaseUrl, keysDatabaseUrl] = [await freshDatabase(readModels), await freshDatabase(keyTables)]
  const direct = { eventStoreUrl: store.url, databaseUrl, keysDatabaseUrl }
  const urls = await through(direct)
  const lifecycle = createLifecycle({ log: silentLog, drainTimeoutMs: 1_000 })
  const projector = startProjector({ config, urls, log: silentLog })
  const worker = options.worker && startWorker({ config, urls, log: silentLog, leaseMs: 600, ...pauses })
  const probes = [...projector.probes, ...(worker?.probes ?? [])]
  const url = await startApi({ config, urls, log: silentLog, lifecycle, sides: ['commands', 'reads'], probes })
  await untilReady(url)
  const clients: Client[] = []
  return {
    url,
    urls,
    config,
    async clientOf(org, role = 'organization-admin', subject = 'tester', teams = []) {
      const token = await issueToken(config, { org, subject, roles: [role], teams, ttlSeconds: 600 })
      const made = client(url, token)
      clients.push(made)
      return made
    },
    async close() {
      for (const made of clients) made.close()
      await lifecycle.stop('the test is over')
      await worker?.close()
      await projector.close()
      await store.close()
      await rm(dataDir, { recursive: true, force: true })
    },
  }
}
