/** Puts new tables in the place of old ones, at the same positions, with locks that are held for an instant only. */
import { setTimeout as sleep } from 'node:timers/promises'
import type { PoolClient } from 'pg'
import { KogiError } from '../../domain/kernel/errors.ts'
import { type Checkpoint, type Fault, readCheckpoints } from '../ownership/checkpoints.ts'
import { fenceOwner, lockCheckpoints } from '../ownership/fencing.ts'
import { PartitionTable, partitionOf } from '../ownership/partitions.ts'
import { CHECKPOINTS } from '../ownership/tables.ts'
import { bucketOf } from '../rows/bucket.ts'
import type { Skips } from '../rows/fold.ts'
import { greatest, least } from '../rows/positions.ts'
import type { AnyProjection } from '../rows/projection.ts'
import { storedDigests, versionDigests } from '../rows/stored.ts'
import { historyTableOf, quoted, quotedList, tableOf, tablesOf } from '../rows/tables.ts'
import { statementsFor } from '../rows/write.ts'
import { commitBatch, foldOver } from '../runner/commit.ts'
import type { RunnerOptions } from '../runner/options.ts'

/** The projection, and the same one under another name, whose tables take the place of its own. */
export type SwapOptions = Pick<RunnerOptions, 'events' | 'pool' | 'decode' | 'log'> & {
  readonly projection: AnyProjection
  readonly beside: AnyProjection
  /** Of `beside`, under its name. */
  readonly skips: Skips
  readonly signal?: AbortSignal
  /** Called when the new tables are in place, before they are compared with the old ones, which takes a while. */
  readonly onSwapped?: () => void
}

export type Swapped = {
  readonly rows: number
  readonly orgs: number
  readonly position: bigint
  /** Orgs whose rows or row versions were others before: the old tables were wrong there. */
  readonly changedOrgs: readonly string[]
}

/**
 * How long the swap waits for a lock on the old tables. Readers that come meanwhile queue behind it, so it gives up
 * soon and tries again.
 */
const LOCK_TIMEOUT_MS = 200
const LOCK_RETRY_MS = 1_000
/** A rebuild that is frozen while it holds the old checkpoints loses its session after this time. */
const IDLE_TIMEOUT_MS = 20_000
/** SQLSTATE of a lock that could not be taken in time. */
const LOCK_NOT_AVAILABLE = '55P03'

/**
 * Brings the new tables to the positions of the old ones and swaps their names. Where a long transaction reads an old
 * table, the swap gives up its locks and tries again until that transaction has ended.
 */
export async function swap(options: SwapOptions): Promise<Swapped> {
  const { pool, projection, log, signal } = options
  for (let tries = 0; ; tries += 1) {
    signal?.throwIfAborted()
    // Most events are taken before any lock is held.
    await finish(options, await readCheckpoints(pool, [projection]))
    const swapped = await trySwap(options)
    if (swapped) return swapped
    if (tries % 30 === 0) {
      const tables = tablesOf(projection).join(', ')
      log.warn({ tables }, 'the new tables are ready: waiting for transactions that read the old ones')
    }
    await sleep(LOCK_RETRY_MS, undefined, { signal })
  }
}

/**
 * Holds the old checkpoints still, brings the new tables to the same positions and swaps names. The projector that
 * writes the old tables waits for the lock and then finds another epoch, which makes it forget the rows that it has in
 * memory. The old rows are compared afterwards, in a snapshot of that moment, when no lock is held any more.
 */
async function trySwap(options: SwapOptions): Promise<Swapped | undefined> {
  const { pool, projection, beside } = options
  const [client, snapshot] = [await pool.connect(), await pool.connect()]
  let broken = true
  try {
    await client.query(
      `begin; set local statement_timeout = 0; set local idle_in_transaction_session_timeout = ${IDLE_TIMEOUT_MS}`,
    )
    const shared = await lockCheckpoints(client, projection)
    const goals = await readCheckpoints(client, [projection])
    await finish(options, goals)
    await snapshot.query('begin isolation level repeatable read read only; set local statement_timeout = 0')
    await snapshot.query(`select from ${CHECKPOINTS} limit 1`)
    await client.query(`set local lock_timeout = ${LOCK_TIMEOUT_MS}`)
    await exchange(client, projection, beside)
    await fenceOwner(client, projection, shared)
    await client.query('commit')
    broken = false
    options.onSwapped?.()
    return { ...(await compare(snapshot, projection)), position: least(goals.map(({ position }) => position)) }
  } catch (error) {
    if ((error as { code?: unknown }).code === LOCK_NOT_AVAILABLE) return undefined
    throw error
  } finally {
    client.release(broken)
    snapshot.release(true)
  }
}

/** Takes the last events, each bucket up to the position of the old tables. */
async function finish(
  { pool, decode, events, beside, skips }: SwapOptions,
  goals: readonly Pick<Checkpoint, 'bucket' | 'position'>[],
): Promise<void> {
  const goalOf = new Map(goals.map(({ bucket, position }) => [bucket, position]))
  // A partition that an event has stopped meets the event again here: it must not be passed over.
  const running = { state: 'running', error: null } as const
  const stored = await readCheckpoints(pool, [beside])
  const partitions = stored.map(checkpoint => partitionOf(beside, { ...checkpoint, ...running }))
  const store = { pool, decode, skips, attemptsMax: 1 }
  const fold = foldOver(store, new PartitionTable(partitions))
  const after = least(partitions.map(({ committed }) => committed))
  for await (const list of events.read({ after, to: greatest(goalOf.values()), max: 1_000 })) {
    const due = list.filter(({ position, metadata }) => position <= goalOf.get(bucketOf(metadata.org ?? ''))!)
    if (due.length === 0) continue
    const folded = await fold.fold(due)
    const [fault] = folded.faults.values()
    if (fault) throw cannotTake(fault)
    await commitBatch(
      store,
      folded.changes.flatMap(statementsFor),
      new Map(partitions.map(partition => [partition, partition.passed])),
    )
  }
}

/** An event stands in the way of the new tables. */
export const cannotTake = ({ position, type, error }: Fault): KogiError =>
  new KogiError('event_refused', `The event ${type} at position ${position} cannot be taken: ${error}.`)

/** The old tables step aside, and the new ones take their names. */
async function exchange(client: PoolClient, projection: AnyProjection, beside: AnyProjection): Promise<void> {
  const [tables, fresh] = [tablesOf(projection), tablesOf(beside)]
  await client.query(`lock table ${quotedList(tables)} in access exclusive mode`)
  for (const [at, table] of tables.entries()) {
    for (const [n, index] of (await indexesOf(client, table)).entries()) {
      await client.query(`alter index ${quoted(index)} rename to ${quoted(`${oldOf(table)}_${n}`)}`)
    }
    await client.query(`alter table ${quoted(table)} rename to ${quoted(oldOf(table))}`)
    await client.query(`alter table ${quoted(fresh[at]!)} rename to ${quoted(table)}`)
    for (const index of await indexesOf(client, table)) {
      await client.query(`alter index ${quoted(index)} rename to ${quoted(index.replace(fresh[0]!, tables[0]!))}`)
    }
  }
}

/** Old and new rows of the moment of the swap, and their versions. */
async function compare(snapshot: PoolClient, projection: AnyProjection): Promise<Omit<Swapped, 'position'>> {
  const fresh = await storedDigests(snapshot, projection)
  const changed = new Set(differing(await storedDigests(snapshot, projection, oldOf(tableOf(projection))), fresh))
  if (projection.history) {
    const before = await versionDigests(snapshot, projection, oldOf(historyTableOf(projection)))
    for (const org of differing(before, await versionDigests(snapshot, projection))) changed.add(org)
  }
  const rows = [...fresh.values()].reduce((sum, digest) => sum + digest.rows, 0)
  return { rows, orgs: fresh.size, changedOrgs: [...changed].sort() }
}

type Digests = Awaited<ReturnType<typeof storedDigests>>

const differing = (old: Digests, fresh: Digests): readonly string[] =>
  [...old.keys(), ...fresh.keys()].filter(org => old.get(org)?.sha256 !== fresh.get(org)?.sha256)

/** The name of a table that has been replaced. */
export const oldOf = (table: string): string => `${table}__old`

async function indexesOf(client: PoolClient, table: string): Promise<readonly string[]> {
  const { rows } = await client.query<{ name: string }>(
    'select indexname as name from pg_indexes where schemaname = current_schema() and tablename = $1',
    [table],
  )
  return rows.map(({ name }) => name)
}
