/**
 * Leases say which projector works on which partition. A lease names its owner and holds for as long as that projector
 * counts as alive, so it is written only when it changes hands. Taking a lease over raises the epoch of the checkpoint:
 * its former owner can write nothing any more, however late it wakes up. A lease only spreads the work; what keeps rows
 * right is the compare-and-set on the checkpoint.
 */
import { createHash } from 'node:crypto'
import type { Client, PoolClient } from 'pg'
import type { AnyProjection } from '../rows/projection.ts'
import { asCheckpoint, type Checkpoint } from './checkpoints.ts'
import { CHECKPOINTS, LEASES, OWN_CHECKPOINTS, PROJECTORS, SHARED_CHECKPOINTS } from './tables.ts'

/** A partition's name in SQL terms. */
export type PartitionKey = Pick<Checkpoint, 'projection' | 'version' | 'bucket'>

/** A partition's name as `partitionName` has it: `balances_v1/7`. */
export const keyName = ({ projection, version, bucket }: PartitionKey): string => `${projection}_v${version}/${bucket}`

/** How long a projector that has fallen silent stays on the list, in multiples of the time that it may be silent. */
const KEPT_TTLS = 20

/** SQL condition on a row of the projectors: its session is there. */
export const CONNECTED = `exists (select from pg_stat_activity where pid = ${PROJECTORS}.backend)`

/**
 * SQL condition on a row of the projectors: it has not been silent for too long, and its session is there. A session
 * that has ended is as good a proof of death as silence, and comes at once.
 */
export const ALIVE = `expires_at > clock_timestamp() and ${CONNECTED}`

/** SQL of the other living projectors and what they run. */
const OTHERS = `(select string_agg(id || runs::text, ' ' order by id) from ${PROJECTORS} where id <> $1 and ${ALIVE})`

const TRACED = [OWN_CHECKPOINTS, LEASES, SHARED_CHECKPOINTS]
/** SQL of a text that is another one after every change of a table: it has the transactions that made its rows. */
const traceOf = (table: string) => `(select concat(count(*), '/', sum(xmin::text::bigint)) from ${table})`

/**
 * Says that this projector lives, and until when: one row, whatever it works on. Returns a trace of all that decides
 * who works on what: the other living projectors, and the rows of leases and checkpoints. While it stays the same, so
 * does the mark. `isNew`: what it runs may not be known yet, which is a long list and does not change.
 */
export async function beat(
  client: Client | PoolClient,
  of: { id: string; projections: readonly AnyProjection[]; ttlMs: number; isNew: boolean },
): Promise<string> {
  const { id, projections, ttlMs } = of
  const known = of.isNew ? undefined : await renew(client, id, ttlMs)
  if (known !== undefined) return known
  await client.query(
    `insert into ${PROJECTORS} (id, runs, backend, seen_at, expires_at)
      values ($1, $2, pg_backend_pid(), clock_timestamp(), clock_timestamp())
      on conflict (id) do update set runs = excluded.runs`,
    [id, projections.map(runName)],
  )
  return (await renew(client, id, ttlMs)) ?? ''
}

/** The trace, once a projector has said that it lives; `undefined` where it is not on the list. */
async function renew(client: Client | PoolClient, id: string, ttlMs: number): Promise<string | undefined> {
  const { rows } = await client.query<{ trace: string }>({
    name: 'beat',
    text: `with beat as (
        update ${PROJECTORS} set backend = pg_backend_pid(), seen_at = clock_timestamp(),
          expires_at = clock_timestamp() + $2 * interval '1 ms'
        where id = $1 returning id)
      select concat_ws(' ', ${OTHERS}, ${TRACED.map(traceOf).join(', ')}) as trace from beat`,
    values: [id, ttlMs],
  })
  return rows[0]?.trace
}

/**
 * A mark of all that decides who works on what: the other living projectors, every lease, and the epoch and state of
 * every checkpoint. While it stays the same, there is nothing to decide. It costs more than a trace, which changes with
 * every position as well.
 */
export async function markOf(client: Client | PoolClient, id: string): Promise<string> {
  const { rows } = await client.query<{ mark: string }>({
    name: 'mark',
    text: `select concat_ws(' ', ${OTHERS}, count(*), sum(hashtext(row(c.projection, c.version, c.bucket, c.epoch,
        c.state, c.shared, s.epoch, s.owner, l.owner)::text))) as mark
      from ${OWN_CHECKPOINTS} c left join ${LEASES} l using (projection, version, bucket)
      left join ${SHARED_CHECKPOINTS} s on s.id = c.shared`,
    values: [id],
  })
  return rows[0]!.mark
}

/** Forgets projectors that have been silent for long. */
export async function forgetSilent(client: Client | PoolClient, ttlMs: number): Promise<void> {
  await client.query(`delete from ${PROJECTORS} where expires_at < clock_timestamp() - $1 * interval '1 ms'`, [
    ttlMs * KEPT_TTLS,
  ])
}

/** The partitions that fall to a projector: bucket by bucket around all living projectors that run the projection. */
export async function fairShare(
  client: Client | PoolClient,
  { id, projections, buckets }: { id: string; projections: readonly AnyProjection[]; buckets: readonly number[] },
): Promise<readonly PartitionKey[]> {
  const { rows } = await client.query<{ id: string; runs: string[] }>(
    `select id, runs from ${PROJECTORS} where id = $1 or (${ALIVE}) order by id`,
    [id],
  )
  return projections.flatMap(projection => {
    const able = rows.filter(({ runs }) => runs.includes(runName(projection))).map(row => row.id)
    return buckets
      .filter(bucket => able[bucket % able.length] === id)
      .map(bucket => ({ projection: projection.name, version: projection.version, bucket }))
  })
}

/** The name of a projector's connections in `pg_stat_activity`, by which other projectors find them. */
export const sessionNameOf = (id: string): string =>
  `kogi-projector ${createHash('md5').update(id).digest('hex').slice(0, 16)}`

/**
 * Ends the transactions of silent projectors that own leases of `keys`: one that stands still in the middle of a batch
 * holds its checkpoints, and the projector that takes them over would wait for it.
 */
async function evict(
  client: Client | PoolClient,
  { id, keys }: { id: string; keys: readonly PartitionKey[] },
): Promise<void> {
  await client.query(
    `with silent as (
       select distinct l.owner from ${LEASES} l
       join unnest($2::text[], $3::int[], $4::int[]) k(projection, version, bucket)
         using (projection, version, bucket)
       where l.owner <> $1 and l.owner not in (select id from ${PROJECTORS} where expires_at > clock_timestamp())
     )
     select pg_terminate_backend(a.pid) from silent s
     join pg_stat_activity a on a.application_name = 'kogi-projector ' || left(md5(s.owner), 16)
     where a.state <> 'idle'`,
    [id, ...columns(keys)],
  )
}

/** Takes the leases among `keys` that no living projector holds; the epochs of their checkpoints grow. */
async function acquire(
  client: Client | PoolClient,
  { id, keys }: { id: string; keys: readonly PartitionKey[] },
): Promise<void> {
  await client.query(
    `with living as (select id from ${PROJECTORS} where ${ALIVE}),
     wanted as materialized (
       select l.projection, l.version, l.bucket from ${LEASES} l
       join unnest($2::text[], $3::int[], $4::int[]) k(projection, version, bucket)
         using (projection, version, bucket)
       where l.owner is distinct from $1 and (l.owner is null or l.owner not in (select id from living))
       for update of l skip locked
     ),
     taken as (
       update ${LEASES} l set owner = $1
       from wanted w where (l.projection, l.version, l.bucket) = (w.projection, w.version, w.bucket)
       returning l.projection, l.version, l.bucket
     ),
     due as materialized (
       select c.projection, c.version, c.bucket from ${OWN_CHECKPOINTS} c
       join taken using (projection, version, bucket)
       order by c.projection, c.version, c.bucket for update of c
     )
     update ${OWN_CHECKPOINTS} c set epoch = epoch + 1
     from due d where (c.projection, c.version, c.bucket) = (d.projection, d.version, d.bucket)`,
    [id, ...columns(keys)],
  )
}

/**
 * Fences the former owners of rows that partitions of this projector share: the epochs of the rows grow. It must be a
 * later statement than `acquire`, so that it sees what those owners did while `acquire` waited for them.
 */
async function takeShared(client: Client | PoolClient, id: string): Promise<void> {
  await client.query(
    `with due as materialized (
       select s.id from ${SHARED_CHECKPOINTS} s
       where s.owner <> $1 and exists (
         select from ${OWN_CHECKPOINTS} c join ${LEASES} l using (projection, version, bucket)
         where c.shared = s.id and l.owner = $1)
       order by s.id for update of s)
     update ${SHARED_CHECKPOINTS} s set epoch = epoch + 1, owner = $1 from due where s.id = due.id`,
    [id],
  )
}

/** Gives leases back: projectors that wait for them can take them at once. */
export async function release(client: Client | PoolClient, id: string, keys: readonly PartitionKey[]): Promise<void> {
  await client.query(
    `update ${LEASES} l set owner = null
     from unnest($2::text[], $3::int[], $4::int[]) k(projection, version, bucket)
     where l.owner = $1 and (l.projection, l.version, l.bucket) = (k.projection, k.version, k.bucket)`,
    [id, ...columns(keys)],
  )
}

/** The checkpoint of a lease that a projector holds, and the row that keeps it where several partitions share one. */
export type HeldCheckpoint = Checkpoint & {
  readonly shared: string | null
  /** The epoch of the shared row, the projector that made it or took it over, and how many partitions share it. */
  readonly sharedEpoch: bigint
  readonly sharedOwner: string | null
  readonly members: number
}

/**
 * Takes the leases of a projector's share that no living projector holds. Returns the checkpoints of all leases that it
 * holds then, those beyond its share too. At rest it writes nothing.
 */
export async function takeShare(
  client: Client | PoolClient,
  { id, share }: { id: string; share: readonly PartitionKey[] },
): Promise<readonly HeldCheckpoint[]> {
  let held = await heldBy(client, id)
  const names = new Set(held.map(keyName))
  const keys = share.filter(key => !names.has(keyName(key)))
  if (keys.length > 0) {
    await evict(client, { id, keys })
    await acquire(client, { id, keys })
    held = await heldBy(client, id)
  }
  if (!held.some(({ sharedOwner }) => sharedOwner !== null && sharedOwner !== id)) return held
  await takeShared(client, id)
  return heldBy(client, id)
}

/** The checkpoints of the leases that a projector holds now. */
export async function heldBy(client: Client | PoolClient, id: string): Promise<readonly HeldCheckpoint[]> {
  const { rows } = await client.query(
    `select c.projection, c.version, c.bucket, c.position, c.epoch, c.state, c.error, c.updated_at, c.shared,
       coalesce(s.epoch, 0) as shared_epoch, s.owner as shared_owner, coalesce(m.members, 0) as members
     from ${CHECKPOINTS} c join ${LEASES} l using (projection, version, bucket)
     left join ${SHARED_CHECKPOINTS} s on s.id = c.shared
     left join (
       select shared, count(*)::int as members from ${OWN_CHECKPOINTS} where shared is not null group by shared
     ) m on m.shared = c.shared
     where l.owner = $1`,
    [id],
  )
  return rows.map(row => ({
    ...asCheckpoint(row),
    shared: row.shared,
    sharedEpoch: BigInt(row.shared_epoch),
    sharedOwner: row.shared_owner,
    members: row.members,
  }))
}

/** Removes a projector from the list, so that the others share its work at once. */
export async function unregister(client: Client | PoolClient, id: string): Promise<void> {
  await client.query(`update ${LEASES} set owner = null where owner = $1`, [id])
  await client.query(`delete from ${PROJECTORS} where id = $1`, [id])
}

const runName = ({ name, version }: AnyProjection): string => `${name}_v${version}`

const columns = (keys: readonly PartitionKey[]): readonly [string[], number[], number[]] => [
  keys.map(key => key.projection),
  keys.map(key => key.version),
  keys.map(key => key.bucket),
]
