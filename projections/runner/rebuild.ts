/**
 * Builds a projection anew beside the tables that are read, and puts the new ones in their place once they stand at the
 * same positions. Until then nothing that reads or writes notices.
 */
import { setTimeout as sleep } from 'node:timers/promises'
import type { Pool, PoolClient } from 'pg'
import type { StoredEvent } from '../../domain/kernel/event.ts'
import { bucketOf } from '../bucket.ts'
import type { EventLog } from '../ports.ts'
import type { AnyProjection } from '../projection.ts'
import { holdServed } from '../serving.ts'
import { storedDigests } from '../stored.ts'
import { quoted, tableOf, tablesOf } from '../tables.ts'
import { ensureIndexes, ensureTables } from './build.ts'
import { readCheckpoints } from './checkpoints.ts'
import { commitBatch, foldOver } from './commit.ts'
import { PartitionTable, partitionOf } from './partitions.ts'
import { greatest, least } from './positions.ts'
import { Runner, type RunnerOptions } from './runner.ts'
import { statementsFor } from './write.ts'

export type RebuildOptions = Pick<RunnerOptions, 'events' | 'pool' | 'decode' | 'log' | 'id' | 'batch' | 'onBatch'> & {
  readonly projection: AnyProjection
  readonly signal?: AbortSignal
}

export type Rebuilt = {
  readonly rows: number
  readonly orgs: number
  readonly position: bigint
  /** Orgs whose rows were others before: the old tables were wrong there. */
  readonly changedOrgs: readonly string[]
}

const POLL_MS = 100
// Any constant does: it tells these locks from others.
const REBUILDING = 720_311_561
/** How near the new tables must be before writers are made to wait for the rest, in positions of the log. */
const NEAR = 1_000_000n

/** The same projection under a name of its own: its tables and checkpoints stand beside those that are read. */
const besideOf = (projection: AnyProjection): AnyProjection => ({ ...projection, name: `${projection.name}__rebuild` })

/**
 * Rebuilds one projection. Throws when it is aborted, an event cannot be taken or somebody else rebuilds it now, and
 * leaves nothing behind then.
 */
export async function rebuild(options: RebuildOptions): Promise<Rebuilt> {
  const beside = besideOf(options.projection)
  const guard = await options.pool.connect()
  try {
    // Between its projector and the swap nobody runs the new tables: a prune must not take them for left-overs.
    await holdServed(guard, [beside])
    const lock = 'select pg_try_advisory_lock($1, hashtext($2)) as free'
    const { rows } = await guard.query<{ free: boolean }>(lock, [REBUILDING, tableOf(beside)])
    if (!rows[0]!.free) throw new Error(`${options.projection.name} is being rebuilt already: wait for the end of that`)
    return await build(options, beside)
  } finally {
    // The end of the session would free them as well, but some time after this.
    await guard.query('select pg_advisory_unlock_all()').catch(() => {})
    guard.release(true)
  }
}

async function build(options: RebuildOptions, beside: AnyProjection): Promise<Rebuilt> {
  const { projection, pool } = options
  const gate = new Gate(options)
  await dropTables(pool, beside)
  await ensureTables(pool, [projection])
  const runner = new Runner({ ...options, projections: [beside], events: gate.events })
  try {
    await nearlyCaughtUp(options, beside, gate)
    await ensureIndexes(pool, [beside])
    await runner.close()
    return await swap(options, beside)
  } finally {
    await runner.close()
    await dropTables(pool, beside)
    await pool.query(`drop table if exists ${tablesOf(projection).map(oldOf).map(quoted).join(', ')}`)
  }
}

/** Lets nothing through that the old tables do not have yet, so that both can be brought to the same positions. */
class Gate {
  limit = 0n
  readonly events: EventLog

  constructor({ events, projection }: RebuildOptions) {
    this.events = {
      head: events.head,
      read: events.read,
      follow: options => this.#follow(events.follow(options), options.signal),
      // Skips are written under the projection's own name.
      skips: async () => {
        const skips = await events.skips([projection.name])
        return new Map([[besideOf(projection).name, skips.get(projection.name) ?? new Set<bigint>()]])
      },
    }
  }

  async *#follow(lists: AsyncIterable<readonly StoredEvent[]>, signal: AbortSignal) {
    for await (const list of lists) {
      for (let rest = list; rest.length > 0 && !signal.aborted; ) {
        const allowed = rest.filter(({ position }) => position <= this.limit)
        rest = rest.slice(allowed.length)
        if (allowed.length > 0) yield allowed
        else await sleep(POLL_MS, undefined, { signal }).catch(() => {})
      }
    }
  }
}

async function nearlyCaughtUp({ pool, projection, signal }: RebuildOptions, beside: AnyProjection, gate: Gate) {
  for (;;) {
    signal?.throwIfAborted()
    const [old, fresh] = [await readCheckpoints(pool, [projection]), await readCheckpoints(pool, [beside])]
    const stalled = fresh.find(({ state }) => state === 'stalled')
    if (stalled)
      throw new Error(`an event cannot be taken: position ${stalled.error?.position}: ${stalled.error?.error}`)
    gate.limit = least(old.map(({ position }) => position))
    if (fresh.length > 0 && least(fresh.map(({ position }) => position)) + NEAR >= gate.limit) return
    await sleep(POLL_MS)
  }
}

/**
 * Holds the old checkpoints still, brings the new tables to the same positions and swaps names. Whoever writes the old
 * tables waits for the lock, and then finds another epoch: it forgets the rows it had in memory. What the old rows were
 * is compared afterwards, over a snapshot of that moment, when nobody waits any more.
 */
async function swap(options: RebuildOptions, beside: AnyProjection): Promise<Rebuilt> {
  const { pool, projection } = options
  const [client, snapshot] = [await pool.connect(), await pool.connect()]
  let broken: boolean | undefined
  try {
    await client.query('begin; set local statement_timeout = 0')
    const lock = 'select from checkpoints where projection = $1 and version = $2 order by bucket for update'
    await client.query(lock, [projection.name, projection.version])
    const goals = await readCheckpoints(client, [projection])
    await finish(options, beside, new Map(goals.map(({ bucket, position }) => [bucket, position])))
    await snapshot.query('begin isolation level repeatable read read only; set local statement_timeout = 0')
    await snapshot.query('select from checkpoints limit 1')
    await exchange(client, projection, beside)
    await client.query('commit')
    return { ...(await compare(snapshot, projection)), position: least(goals.map(({ position }) => position)) }
  } catch (error) {
    broken = true
    throw error
  } finally {
    client.release(broken)
    snapshot.release(true)
  }
}

/** Takes the last events, each bucket up to the position of the old tables. */
async function finish(
  { pool, decode, events, projection }: RebuildOptions,
  beside: AnyProjection,
  goals: ReadonlyMap<number, bigint>,
): Promise<void> {
  const skips = await new Gate({ events, projection } as RebuildOptions).events.skips([])
  const partitions = (await readCheckpoints(pool, [beside])).map(checkpoint => partitionOf(beside, checkpoint))
  const store = { pool, decode, skips, attemptsMax: 1 }
  const fold = foldOver(store, new PartitionTable(partitions))
  const after = least(partitions.map(({ committed }) => committed))
  for await (const list of events.read({ after, to: greatest(goals.values()), max: 1_000 })) {
    const due = list.filter(({ position, metadata }) => position <= goals.get(bucketOf(metadata.org ?? ''))!)
    if (due.length === 0) continue
    const folded = await fold.fold(due)
    const [fault] = folded.faults.values()
    if (fault) throw new Error(`an event cannot be taken: position ${fault.position}: ${fault.error}`)
    await commitBatch(
      store,
      folded.changes.flatMap(statementsFor),
      new Map(partitions.map(partition => [partition, partition.passed])),
    )
  }
}

/** The old tables step aside, the new ones take their names, and the epochs grow: positions stay as they are. */
async function exchange(client: PoolClient, projection: AnyProjection, beside: AnyProjection): Promise<void> {
  const [tables, fresh] = [tablesOf(projection), tablesOf(beside)]
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
  const key = [projection.name, projection.version]
  await client.query('update checkpoints set epoch = epoch + 1 where projection = $1 and version = $2', key)
}

/** Old and new rows of the moment of the swap. */
async function compare(snapshot: PoolClient, projection: AnyProjection): Promise<Omit<Rebuilt, 'position'>> {
  const fresh = await storedDigests(snapshot, projection)
  const old = await storedDigests(snapshot, projection, oldOf(tableOf(projection)))
  const orgs = [...new Set([...old.keys(), ...fresh.keys()])]
  return {
    rows: [...fresh.values()].reduce((sum, { rows }) => sum + rows, 0),
    orgs: fresh.size,
    changedOrgs: orgs.filter(org => old.get(org)?.sha256 !== fresh.get(org)?.sha256),
  }
}

const oldOf = (table: string): string => `${table}__old`

async function indexesOf(client: PoolClient, table: string): Promise<readonly string[]> {
  const { rows } = await client.query<{ name: string }>(
    'select indexname as name from pg_indexes where schemaname = current_schema() and tablename = $1',
    [table],
  )
  return rows.map(({ name }) => name)
}

async function dropTables(pool: Pool, projection: AnyProjection): Promise<void> {
  await pool.query(`drop table if exists ${tablesOf(projection).map(quoted).join(', ')}`)
  for (const table of ['checkpoints', 'projection_leases']) {
    await pool.query(`delete from ${table} where projection = $1 and version = $2`, [
      projection.name,
      projection.version,
    ])
  }
}
