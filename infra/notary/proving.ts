/** The maps of rows of a worker, beside its notary. */
import type { AnyProjection } from '../../projections/rows/projection.ts'
import { provableOf } from '../../projections/rows/proved.ts'
import { projections } from '../catalogue.ts'
import { type Config, ConfigError } from '../config.ts'
import type { Log } from '../log.ts'
import type { Pool } from '../postgres.ts'
import { signersOf } from './keys.ts'
import type { Notary } from './notary.ts'
import { RowMaps } from './row-maps.ts'

/** The read models that the settings name. Throws a `ConfigError` for one that cannot be proved. */
export function provedModels(config: Pick<Config, 'provedModels'>): readonly AnyProjection[] {
  const provable = provableOf(projections)
  return config.provedModels.map(wanted => {
    const model = provable.find(({ name }) => name === wanted)
    if (model) return model
    throw new ConfigError(`KOGI_PROVED_MODELS: ${wanted} is none of ${provable.map(({ name }) => name).join(', ')}`)
  })
}

/** The maps of these read models. */
export function rowMaps(config: Config, pool: Pool, log: Log): RowMaps {
  const models = provedModels(config)
  return new RowMaps({ pool, models, origin: config.notaryOrigin, log, signers: () => signersOf(config) })
}

/** Seals the log and proves read models until one of the two ends. */
export async function together(signal: AbortSignal, notary: Notary, maps: RowMaps): Promise<void> {
  const stop = new AbortController()
  const ends = AbortSignal.any([signal, stop.signal])
  const proving = maps.run(ends)
  try {
    await notary.run(ends)
  } finally {
    stop.abort()
    await proving
  }
}
