/** Finds the duplicates of memories that are stored: by the index of the process, or by one of its own. */
import type { FindDuplicates } from '../../commands/memory/store.ts'
import { duplicatesOf } from '../../read-api/memory/duplicates.ts'
import { allows } from '../auth/permissions.ts'
import { guards } from '../catalogue.ts'
import type { Config } from '../config.ts'
import type { EngineUrls } from '../engines.ts'
import { erasedSubjects } from '../erasures/erased.ts'
import { commandStore } from '../event-store/command-store.ts'
import type { Lifecycle } from '../http/lifecycle.ts'
import { keyring } from '../keyring.ts'
import { type Log, reasonOf } from '../log.ts'
import { masterKeysOf } from '../master-keys.ts'
import { createPool } from '../postgres.ts'
import { within } from '../within.ts'
import { memoryThread } from './memory-thread.ts'

/** For how long a memory that is stored already waits for the index. */
const PATIENCE_MS = 2_000

type Stores = Omit<Parameters<typeof duplicatesOf>[0], 'allows' | 'guards'>

/** What a store must not fail for, it does not wait for long either. */
export const duplicateFinder =
  (stores: Stores, log: Pick<Log, 'warn'>): FindDuplicates =>
  async (request, text, self) => {
    try {
      const look = duplicatesOf({ ...stores, allows, guards }, request, text, self)
      const { position, duplicates } = await within(PATIENCE_MS, look, () => new Error('the index takes too long'))
      return { duplicates, duplicates_position: String(position) }
    } catch (error) {
      log.warn({ reason: reasonOf(error) }, 'no duplicates of a memory were looked for')
      return { duplicates: null, duplicates_position: undefined }
    }
  }

type Options = {
  readonly config: Config
  readonly urls: EngineUrls
  readonly log: Log
  readonly lifecycle: Lifecycle
}

/** The same in a process that serves commands alone. */
export function openDuplicates({ config, urls, log, lifecycle }: Options): FindDuplicates {
  const connectTimeoutMs = config.databaseConnectTimeoutMs
  const pool = createPool({ url: urls.databaseUrl, name: 'read', log, max: 2, connectTimeoutMs })
  const keys = createPool({ url: urls.keysDatabaseUrl, name: 'keys', log, max: 2, connectTimeoutMs })
  const store = commandStore(urls.eventStoreUrl)
  const erased = erasedSubjects(store)
  const { open: unseal } = keyring(keys, { erased, masters: masterKeysOf(config) })
  const { search, close } = memoryThread({ config, urls, log })
  lifecycle.onStop('duplicates of memories', async () => {
    await Promise.allSettled([close(), pool.end(), keys.end(), store.close()])
  })
  return duplicateFinder({ pool, unseal, search }, log)
}
