import path from 'node:path'
import { Exporter, type ExporterDeps } from './exporter.ts'
import { exportOptions, type Sources } from './options.ts'
import { pendingExports } from './rows.ts'

type Parts = Omit<ExporterDeps, 'pending' | 'optionsOf' | 'folder'> &
  Pick<Sources, 'config' | 'eventStoreUrl'> & {
    readonly events: Sources['log']
    readonly pool: Parameters<typeof pendingExports>[0]
  }

/** The maker of exports of a worker; unfinished ones stand in the data folder. */
export function exporterOf({ config, eventStoreUrl, events, pool, ...deps }: Parts): Exporter {
  const sources = { config, eventStoreUrl, log: events, store: deps.store }
  return new Exporter({
    ...deps,
    pending: pendingExports(pool),
    optionsOf: (org, signal) => exportOptions(sources, org, signal),
    folder: path.join(config.dataDir, 'exports'),
  })
}
