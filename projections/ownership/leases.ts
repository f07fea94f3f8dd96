/**
 * Who works on which partition. A lease is a row with an owner and an end, renewed in time; taking one over raises the
 * epoch of the checkpoint, so that whoever held it before can write nothing any more, however late it wakes up. So a
 * lease only spreads the work: what keeps rows right is the compare-and-set on the checkpoint.
 */
import { createHash } from 'node:crypto'
import type { Client, PoolClient } from 'pg'
import type { AnyProjection } from '../rows/projection.ts'
import { asCheckpoint, type Checkpoint } from './checkpoints.ts'

/** A partition's name in SQL terms. */
export type PartitionKey = Pick<Checkpoint, 'projection' | 'version' | 'bucket'>

/** Tells the world that this projector lives, and forgets those that have been silent for long. */
export async function register(
  client: Client | PoolClient,
  { id, projections, ttlMs }: { id: string; projections: readonly AnyProjection[]; ttlMs: number },
): Promise<void> {
  await client.query(
    `insert into projectors (id, runs, backend, seen_at) values ($1, $2, pg_backend_pid(), clock_timestamp())
     on conflict (id) do update set runs = excluded.runs, backend = excluded.backend, seen_at = excluded.seen_at`,
    [id, projections.map(runName)],
  )
  await client.query(`delete from projectors where seen_at < clock_timestamp() - $1 * interval '1 ms'`, [ttlMs * 20])
}

// A session that has ended is as good a proof of death as silence, and comes at once.
const ALIVE = `seen_at > clock_timestamp() - $1 * interval '1 ms'
  and exists (select from pg_stat_activity where pid = projectors.backend)`

/** The partitions that fall to a projector: bucket by bucket around all living projectors that run the projection. */
export async function fairShare(
  client: Client | PoolClient,
  {
    id,
    projections,
    ttlMs,
    buckets,
  }: {
    id: string
    projections: readonly AnyProjection[]
    ttlMs: number
    buckets: readonly number[]
  },
): Promise<readonly PartitionKey[]> {
  const { rows } = await client.query<{ id: string; runs: string[] }>(
    `select id, runs from projectors where id = $2 or (${ALIVE}) order by id`,
    [ttlMs, id],
  )
  return projections.flatMap(projection => {
    const able = rows.filter(({ runs }) => runs.includes(runName(projection))).map(row => row.id)
    return buckets
      .filter(bucket => able[bucket % able.length] === id)
      .map(bucket => ({ projection: projection.name, version: projection.version, bucket }))
  })
}

/** What the connections of a projector are called in `pg_stat_activity`, so that others can tell them. */
export const sessionNameOf = (id: string): string =>
  `kogi-projector ${createHash('md5').update(id).digest('hex').slice(0, 16)}`

/**
 * Ends the transactions of projectors that are silent and yet own leases of `keys`: one that stands still in the middle
 * of a batch holds its checkpoints, and whoever takes them over would wait for it.
 */
export async function evict(
  client: Client | PoolClient,
  { id, keys, ttlMs }: { id: string; keys: readonly PartitionKey[]; ttlMs: number },
): Promise<void> {
  await client.query(
    `with silent as (
       select distinct l.owner from projection_leases l
       join unnest($3::text[], $4::int[], $5::int[]) k(projection, version, bucket)
         using (projection, version, bucket)
       where l.owner <> $2 and l.expires_at < clock_timestamp()
         and l.owner not in (select id from projectors where ${ALIVE})
     )
     select pg_terminate_backend(a.pid) from silent s
     join pg_stat_activity a on a.application_name = 'kogi-projector ' || left(md5(s.owner), 16)
     where a.state <> 'idle'`,
    [ttlMs, id, ...columns(keys)],
  )
}

/** Renews the leases that a projector holds among `keys` and takes those that nobody alive holds. */
export async function acquire(
  client: Client | PoolClient,
  { id, keys, ttlMs }: { id: string; keys: readonly PartitionKey[]; ttlMs: number },
): Promise<readonly Checkpoint[]> {
  await client.query(
    `update projection_leases l set expires_at = clock_timestamp() + $2 * interval '1 ms'
     from unnest($3::text[], $4::int[], $5::int[]) k(projection, version, bucket)
     where l.owner = $1 and (l.projection, l.version, l.bucket) = (k.projection, k.version, k.bucket)`,
    [id, ttlMs, ...columns(keys)],
  )
  const { rows } = await client.query(
    `with living as (select id from projectors where ${ALIVE}),
     wanted as (
       select l.projection, l.version, l.bucket from projection_leases l
       join unnest($3::text[], $4::int[], $5::int[]) k(projection, version, bucket)
         using (projection, version, bucket)
       where l.owner is distinct from $2
         and (l.owner is null or l.expires_at < clock_timestamp() or l.owner not in (select id from living))
       for update of l skip locked
     ),
     taken as (
       update projection_leases l set owner = $2, expires_at = clock_timestamp() + $1 * interval '1 ms'
       from wanted w where (l.projection, l.version, l.bucket) = (w.projection, w.version, w.bucket)
       returning l.projection, l.version, l.bucket
     )
     update checkpoints c set epoch = epoch + 1
     from taken t where (c.projection, c.version, c.bucket) = (t.projection, t.version, t.bucket)
     returning c.projection, c.version, c.bucket, c.position, c.epoch, c.state, c.error, c.updated_at`,
    [ttlMs, id, ...columns(keys)],
  )
  return rows.map(asCheckpoint)
}

/** Gives leases back: who waits for them need not wait for their end. */
export async function release(client: Client | PoolClient, id: string, keys: readonly PartitionKey[]): Promise<void> {
  await client.query(
    `update projection_leases l set owner = null
     from unnest($2::text[], $3::int[], $4::int[]) k(projection, version, bucket)
     where l.owner = $1 and (l.projection, l.version, l.bucket) = (k.projection, k.version, k.bucket)`,
    [id, ...columns(keys)],
  )
}

/** The checkpoints of the leases that a projector holds now. */
export async function heldBy(client: Client | PoolClient, id: string): Promise<readonly Checkpoint[]> {
  const { rows } = await client.query(
    `select c.* from checkpoints c join projection_leases l using (projection, version, bucket) where l.owner = $1`,
    [id],
  )
  return rows.map(asCheckpoint)
}

/** Takes a projector off the list, so that the others share its work at once. */
export async function unregister(client: Client | PoolClient, id: string): Promise<void> {
  await client.query('update projection_leases set owner = null where owner = $1', [id])
  await client.query('delete from projectors where id = $1', [id])
}

const runName = ({ name, version }: AnyProjection): string => `${name}_v${version}`

const columns = (keys: readonly PartitionKey[]): readonly [string[], number[], number[]] => [
  keys.map(key => key.projection),
  keys.map(key => key.version),
  keys.map(key => key.bucket),
]
