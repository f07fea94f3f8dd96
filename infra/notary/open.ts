import type { EventStore } from '../../commands/ports.ts'
import { consistencyHashes } from '../../read-api/audit/trees.ts'
import type { Config } from '../config.ts'
import type { Pool } from '../postgres.ts'
import { cosignedNotes } from './cosigned.ts'
import { anchorsOf, signersOf, witnessesOf } from './keys.ts'
import { Notary, type NotaryOptions } from './notary.ts'
import type { RowMaps } from './row-maps.ts'
import { tileRows } from './tiles.ts'

type NotaryParts = Pick<NotaryOptions, 'events' | 'log'> & {
  readonly config: Config
  readonly store: EventStore
  readonly pool: Pool
  readonly maps: Pick<RowMaps, 'onSealed'>
}

/** The notary of a worker. None in production without a key: then nothing is sealed. */
export function notaryOf({ config, log, pool, maps, ...rest }: NotaryParts): Notary | undefined {
  const tiles = tileRows(pool, log)
  const places = witnessesOf(config)
  if (config.env === 'production' && config.notaryKeys.length === 0) {
    log.warn('KOGI_NOTARY_KEYS names no key: the log is not sealed')
    return undefined
  }
  return new Notary({
    ...rest,
    log,
    tiles,
    ...(places.length > 0 && {
      witnesses: {
        places,
        deps: {
          proofOf: (tree, old, size) => consistencyHashes({ pool }, tree, { old, size }),
          onCosigned: cosignedNotes(rest.store, tiles.cosigned),
        },
      },
    }),
    onSealed: maps.onSealed,
    origin: config.notaryOrigin,
    signers: () => signersOf(config),
    anchors: anchorsOf(config),
    mayBeNew: config.env !== 'production' && config.notaryKeys.length === 0,
    now: () => new Date().toISOString(),
  })
}
