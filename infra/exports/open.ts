import path from 'node:path'
import type { EventStore } from '../../commands/ports.ts'
import type { Config } from '../config.ts'
import type { EngineUrls } from '../engines.ts'
import { erasedSubjects } from '../erasures/erased.ts'
import { fileStore } from '../files/open.ts'
import { keyring } from '../keyring.ts'
import type { Log } from '../log.ts'
import { masterKeysOf } from '../master-keys.ts'
import { createPool, type Pool } from '../postgres.ts'
import { Exporter, type ExporterDeps } from './exporter.ts'
import { exportOptions, type Sources } from './options.ts'
import { pendingExports } from './rows.ts'

type Parts = Omit<ExporterDeps, 'pending' | 'optionsOf' | 'folder' | 'files'> &
  Pick<Sources, 'config' | 'eventStoreUrl'> & {
    readonly events: Sources['log']
    readonly pool: Pool
  }

/** How long one try of an export waits for read models that lag behind: others are to be made too. */
const SETTLE_MS = 5_000

/** The maker of exports of a worker; unfinished ones stand in the data folder. */
export function exporterOf({ config, eventStoreUrl, events, pool, ...deps }: Parts): Exporter {
  const readable = { pool, unseal: deps.keyring.open, settleMs: SETTLE_MS }
  const sources = { config, eventStoreUrl, log: events, store: deps.store, readable }
  return new Exporter({
    ...deps,
    pending: pendingExports(pool),
    optionsOf: (org, signal) => exportOptions(sources, org, signal),
    folder: path.join(config.dataDir, 'exports'),
    // Types of files that nobody may upload are no reason to lose an archive of ours.
    files: fileStore({ ...config, fileTypesRefused: [] }),
  })
}

/** What the readable part of an export needs, for a verb that ends after it. */
export function openReadable(urls: EngineUrls, config: Config, store: Pick<EventStore, 'read'>, log: Log) {
  const pool = createPool({ url: urls.databaseUrl, name: 'read', log, max: 1 })
  const keys = createPool({ url: urls.keysDatabaseUrl, name: 'keys', log, max: 1 })
  const { open } = keyring(keys, { erased: erasedSubjects(store), masters: masterKeysOf(config) })
  return {
    deps: { pool, unseal: open },
    close: async () => void (await Promise.allSettled([pool.end(), keys.end()])),
  }
}
