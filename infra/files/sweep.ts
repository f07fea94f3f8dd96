/** Removes files that no event tells of: of uploads that broke off, or whose command was refused. */
import { setTimeout as sleep } from 'node:timers/promises'
import { auditExports } from '../../projections/audit/audit-exports.ts'
import { itemFiles } from '../../projections/briefcase/item-files.ts'
import { CHECKPOINTS } from '../../projections/ownership/tables.ts'
import type { EventLog } from '../../projections/ports.ts'
import { bucketOf } from '../../projections/rows/bucket.ts'
import { historyTableOf, tableOf } from '../../projections/rows/tables.ts'
import type { Log } from '../log.ts'
import type { Pool } from '../postgres.ts'
import type { FileStore } from './store.ts'

const EVERY_MS = 3_600_000
/** Time after which what was begun and never ended is removed, and what no event tells of. */
const LEFT_MS = 24 * 3_600_000
/** Time that the read model of files gets to come to the end of the log. */
const SETTLE_MS = 5_000

/**
 * Whether a read model of an org, by default that of files, has come to a position, in SQL, as `k.known`: it has not
 * after the read models were made anew, or while it stands still. Its values are those of `atHead`.
 */
export const AT_HEAD = `(select count(*) = 1 and bool_and(state = 'running' and position >= $4) as known
  from ${CHECKPOINTS} where projection = $1 and version = $2 and bucket = $3) k`
export const atHead = (org: string, head: bigint, { name, version }: Model = itemFiles) => [
  name,
  version,
  bucketOf(org),
  String(head),
]
type Model = { readonly name: string; readonly version: number }

/**
 * Of some digests those that a version of a file has, or an export; all of them while one of the read models has not
 * come to `head`.
 */
export const keptFiles =
  (pool: Pick<Pool, 'query'>, head: bigint) =>
  async (org: string, digests: readonly string[]): Promise<ReadonlySet<string>> => {
    const kept = new Set<string>()
    for (const [model, table] of KEEPERS) {
      const { rows } = await pool.query<{ sha256: string | null; known: boolean }>(
        `select k.known, h.sha256 from ${AT_HEAD} left join (select distinct sha256 from ${table}
          where org = $5 and sha256 = any($6::text[])) h on true`,
        [...atHead(org, head, model), org, digests],
      )
      if (!rows[0]?.known) return new Set(digests)
      for (const { sha256 } of rows) if (sha256 !== null) kept.add(sha256)
    }
    return kept
  }

/** The read models that tell of files: those of items in every version, and exports that are not removed. */
const KEEPERS = [
  [itemFiles, historyTableOf(itemFiles)],
  [auditExports, tableOf(auditExports)],
] as const

type SweepDeps = {
  readonly store: FileStore
  readonly pool: Pick<Pool, 'query'>
  readonly events: Pick<EventLog, 'head'>
  readonly log: Log
}

/** Sweeps once an hour, until it is told to stop. */
export async function sweepFiles({ store, pool, events, log }: SweepDeps, signal: AbortSignal): Promise<void> {
  while (!signal.aborted) {
    try {
      const head = await events.head(signal)
      await sleep(SETTLE_MS, undefined, { signal })
      const removed = await store.sweep(keptFiles(pool, head), Date.now() - LEFT_MS)
      if (removed > 0) log.info({ context: { removed } }, 'files that no event tells of were removed')
    } catch (error) {
      if (!signal.aborted) log.warn({ err: error }, 'files could not be swept')
    }
    await sleep(EVERY_MS, undefined, { signal }).catch(() => {})
  }
}
