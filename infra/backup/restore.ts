/**
 * Restores a backup into empty engines. The order: everything is checked, then files and keys are written, then the
 * events, then the read models are built from those. So no moment has events whose keys or files are not there, and
 * nothing is served before a process that serves is started. Every step is done whole or can be done again: a restore
 * that was interrupted goes on where the engines hold a beginning of the same backup.
 */
import { existsSync } from 'node:fs'
import path from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { type ErrorDetail, KogiError } from '../../domain/kernel/errors.ts'
import { readCheckpoints } from '../../projections/ownership/checkpoints.ts'
import { BUCKETS } from '../../projections/rows/bucket.ts'
import { greatest, least } from '../../projections/rows/positions.ts'
import { domainStreamPrefixes, projections } from '../catalogue.ts'
import type { Config } from '../config.ts'
import type { EngineUrls } from '../engines.ts'
import { eventLog } from '../event-store/reader.ts'
import { fileStore } from '../files/open.ts'
import type { Log } from '../log.ts'
import { masterKeysOf } from '../master-keys.ts'
import { migrate } from '../migrate.ts'
import { createPool, type Pool } from '../postgres.ts'
import { startProjector } from '../processes/projector.ts'
import { FILES, KEYS, type Manifest } from './format.ts'
import { restoreFiles } from './item-files.ts'
import { countKeys, writeKeys } from './keys.ts'
import { type RestoreEngines, urlsOf } from './restore-engines.ts'
import {
  appendToStore,
  firstStream,
  importStore,
  mustHoldBeginning,
  mustHoldImported,
  type RestoredEvents,
} from './restore-events.ts'

const POLL_MS = 100

export type RestoreOptions = {
  /** A folder whose manifest this is, and whose files were verified against it. */
  readonly folder: string
  readonly manifest: Manifest
  readonly config: Config
  readonly engines: RestoreEngines
  readonly log: Log
  readonly signal?: AbortSignal
  readonly onEvents?: (events: number) => void
  /** Called with the events that the slowest read model has passed. */
  readonly onProjected?: (events: number) => void
  readonly onStep?: (step: 'files' | 'keys' | 'events' | 'read models') => void
}

export type Restored = {
  readonly urls: EngineUrls
  /** Files of items that were written; `undefined` where the backup has none. */
  readonly files: number | undefined
  readonly keys: { readonly written: number; readonly erased: number }
  readonly events: RestoredEvents
}

/** Fills the engines; throws `not_empty` with what it found where one of them holds anything else. */
export async function restore(options: RestoreOptions): Promise<Restored> {
  const { folder, manifest, config, engines, log, signal, onStep = () => {} } = options
  const read = createPool({ url: engines.databaseUrl, name: 'read', log, max: 2 })
  const keys = createPool({ url: engines.keysDatabaseUrl, name: 'keys', log, max: 2 })
  try {
    await mustBeEmpty(options, read, keys)
    signal?.throwIfAborted()
    onStep('files')
    const hasFiles = manifest.files.some(({ name }) => name === FILES)
    const store = fileStore({ ...config, fileTypesRefused: [] })
    const files = hasFiles ? await restoreFiles(folder, store, masterKeysOf(config), signal) : undefined
    onStep('keys')
    await migrate({ url: engines.keysDatabaseUrl, set: 'keys', log })
    const written = await writeKeys(keys, path.join(folder, KEYS))
    signal?.throwIfAborted()
    onStep('events')
    const events = await restoreEvents(options)
    signal?.throwIfAborted()
    onStep('read models')
    await migrate({ url: engines.databaseUrl, set: 'read', log })
    const urls = await urlsOf(engines)
    await buildReadModels(options, urls, read)
    return { urls, files, keys: { written, erased: manifest.keys.erased }, events }
  } finally {
    await Promise.allSettled([read.end(), keys.end()])
  }
}

/** Whether the events go into an embedded store as they were in one, positions and all. */
const isImport = ({ engines, manifest }: RestoreOptions): boolean =>
  engines.storeFolder !== undefined && manifest.store === 'embedded'

/**
 * Throws `not_empty` unless the engines are empty, or hold what an interrupted restore of this backup left: the first
 * of its events, and its keys. Keys alone are compared when they are written.
 */
async function mustBeEmpty(options: RestoreOptions, read: Pool, keys: Pool): Promise<void> {
  const { folder, engines } = options
  const furthest = await reachedIn(read)
  const details: ErrorDetail[] = []
  const keyCount = await countKeys(keys)
  if (keyCount > 0) details.push({ field: 'keys', message: `${keyCount} keys of data subjects` })
  if (furthest > 0n) details.push({ field: 'read models', message: `rows up to position ${furthest}` })
  const hasStore = engines.storeFolder === undefined || existsSync(engines.storeFolder)
  const stream = hasStore ? await firstStream(await engines.storeUrl()) : undefined
  if (stream !== undefined) {
    details.unshift({ field: 'event store', message: `events, the first of them in ${stream}` })
    const compare = isImport(options) ? mustHoldImported : mustHoldBeginning
    await compare(folder, await engines.storeUrl()).catch(error => {
      if (!(error instanceof KogiError)) throw error
      throw new KogiError(error.code, `${NOT_EMPTY} ${error.details[0]?.message ?? ''}`, details)
    })
  } else if (furthest > 0n) throw new KogiError('not_empty', NOT_EMPTY, details)
  else if (hasStore && isImport(options)) {
    const message = `a store without events: remove ${engines.storeFolder}, it is made anew`
    throw new KogiError('not_empty', NOT_EMPTY, [{ field: 'event store', message }])
  }
}

const share = (part: bigint, whole: bigint): number => Number(part) / Number(whole)

const NOT_EMPTY = 'A restore takes empty engines, and these are not.'

/** The furthest position that a read model has reached; `0n` where there is none. */
async function reachedIn(read: Pool): Promise<bigint> {
  const { rows } = await read.query<{ name: string | null }>(`select to_regclass('checkpoints')::text as name`)
  if (rows[0]!.name === null) return 0n
  return greatest((await readCheckpoints(read)).map(({ position }) => position))
}

async function restoreEvents(options: RestoreOptions): Promise<RestoredEvents> {
  const { folder, engines, signal, onEvents = () => {} } = options
  const { storeFolder } = engines
  if (storeFolder === undefined || !isImport(options))
    return appendToStore(folder, await engines.storeUrl(), onEvents, signal)
  if (existsSync(storeFolder)) return mustHoldImported(folder, await engines.storeUrl())
  return importStore(folder, storeFolder, onEvents, signal)
}

/** Runs a projector until every read model has passed the last event, or an event has stopped it for good. */
async function buildReadModels(options: RestoreOptions, urls: EngineUrls, read: Pool): Promise<void> {
  const { config, log, manifest, signal, onProjected = () => {} } = options
  const events = eventLog({ url: urls.eventStoreUrl, prefixes: domainStreamPrefixes })
  const projector = startProjector({ config, urls, log })
  try {
    const head = await events.head()
    for (let passed = 0; ; await sleep(POLL_MS, undefined, { ...(signal && { signal }) })) {
      const checkpoints = await readCheckpoints(read, projections)
      // The projector makes the checkpoints of all buckets first.
      if (checkpoints.length < projections.length * BUCKETS) continue
      const moving = checkpoints.filter(({ state }) => state !== 'stalled').map(({ position }) => position)
      const reached = moving.length === 0 ? head : least(moving)
      const isThere = reached >= head
      const done = Math.floor(isThere ? manifest.events.domain : share(reached, head) * manifest.events.domain)
      onProjected(done - passed)
      if (isThere) return
      passed = done
    }
  } finally {
    await projector.close()
    await events.close()
  }
}
