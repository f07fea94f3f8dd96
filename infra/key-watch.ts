/**
 * Keys of personal data that were looked for in vain: the database of the keys is a wrong one, or lost some. A key that
 * was destroyed without an erasure is one of them.
 */
import { LRUCache } from 'lru-cache'
import type { Pool } from 'pg'
import type { Log } from './log.ts'
import type { Metrics } from './metrics.ts'

/** What of the missing keys is remembered and looked for again; each is logged once. */
const REMEMBERED_MAX = 1_000

/** Notes missing keys for all keyrings of a process. */
export type KeyWatch = {
  readonly missing: (org: string, key: string) => void
  /** A key is there, or was erased, as the log says. */
  readonly found: (key: string) => void
  /** Throws while the database does not answer, is none of keys, or lacks a key that was looked for. */
  readonly check: (pool: Pick<Pool, 'query'>) => Promise<void>
}

/** Makes the watch of a process. */
export function keyWatch(log: Log, metrics?: Metrics): KeyWatch {
  const seen = new LRUCache<string, string>({ max: REMEMBERED_MAX })
  return {
    missing(org, key) {
      metrics?.keysMissing.inc()
      if (seen.has(key)) return
      seen.set(key, org)
      log.error({ org, key_id: key }, 'the key of a sealed text is missing: the database of the keys is not whole')
    },
    found: key => void seen.delete(key),
    async check(pool) {
      const keys = [...seen.keys()]
      const gone = new Set(await keysMissing(pool, keys, 'or destroyed'))
      for (const key of keys) if (!gone.has(key)) seen.delete(key)
      if (gone.size === 0) return
      throw new Error(`${gone.size} keys of personal data are missing: the database of the keys is not whole`)
    },
  }
}

/** Which of these keys have no row; one that was destroyed without an erasure has one, and counts where asked for. */
export async function keysMissing(
  pool: Pick<Pool, 'query'>,
  keys: readonly string[],
  destroyed?: 'or destroyed',
): Promise<readonly string[]> {
  const missing = destroyed ? ' and (s.secret is not null or s.erased_at is not null)' : ''
  const text = `select wanted.key::text from unnest($1::uuid[]) wanted(key)
    where not exists (select from subject_keys s where s.key = wanted.key${missing})`
  const { rows } = await pool.query<{ key: string }>(text, [keys])
  return rows.map(({ key }) => key)
}
