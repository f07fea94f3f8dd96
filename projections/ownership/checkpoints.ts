/** How far each projection has come in each bucket, moved by compare-and-set in the transaction of the batch. */
import type { ClientBase, Pool } from 'pg'
import { BUCKETS } from '../rows/bucket.ts'
import { arrayLiteral } from '../rows/encode.ts'
import type { Statement } from '../rows/pipeline.ts'
import type { AnyProjection } from '../rows/projection.ts'

export type PartitionState = 'running' | 'retrying' | 'stalled'

/** The event that a projection could not take, as it is shown to operators. */
export type Fault = {
  readonly position: string
  readonly stream: string
  readonly revision: string
  readonly type: string
  readonly event_id: string
  readonly error: string
  readonly attempts: number
  readonly at: string
}

/** One projection in one bucket of orgs: the unit that has a checkpoint, an owner and a state. */
export type Checkpoint = {
  readonly projection: string
  readonly version: number
  readonly bucket: number
  /** The last domain event that has been passed, whether or not it changed a row. */
  readonly position: bigint
  /** Counts the owners: whoever writes under an older one writes nothing. */
  readonly epoch: bigint
  readonly state: PartitionState
  readonly error: Fault | null
  /** When it last moved, ISO 8601. */
  readonly updatedAt: string
}

/** A checkpoint's move: from where this owner knows it to be, to where the batch took it. */
export type Move = Pick<Checkpoint, 'projection' | 'version' | 'bucket' | 'epoch'> & {
  readonly from: bigint
  readonly to: bigint
  readonly state: PartitionState
  readonly error: Fault | null
}

/** The checkpoint is not where this process left it: somebody else owns the bucket now, or the database went back. */
export class FencedError extends Error {
  override readonly name = 'FencedError'
}

/** PostgreSQL's channel that tells of every batch: the payload is the position reached. */
export const CHECKPOINT_CHANNEL = 'kogi_checkpoints'

const COLUMNS = 'projection, version, bucket, position, epoch, state, error, updated_at'

/** Makes the rows of a projection where they are absent: all buckets, at position 0, owned by nobody. */
export async function ensureCheckpoints(client: ClientBase | Pool, projection: AnyProjection): Promise<void> {
  for (const table of ['checkpoints', 'projection_leases']) {
    // Only what is absent: an insert beside a row that somebody is changing would wait for him.
    await client.query(
      `insert into ${table} (projection, version, bucket)
       select $1, $2, bucket from generate_series(0, ${BUCKETS - 1}) bucket
       where not exists (select from ${table} t where (t.projection, t.version, t.bucket) = ($1, $2, bucket.bucket))
       on conflict do nothing`,
      [projection.name, projection.version],
    )
  }
}

/** The checkpoints of some projections, of all of them by default. */
export async function readCheckpoints(
  client: ClientBase | Pool,
  projections?: readonly Pick<AnyProjection, 'name' | 'version'>[],
): Promise<readonly Checkpoint[]> {
  const chosen =
    projections === undefined ? '' : ' where (projection, version) in (select * from unnest($1::text[], $2::int[]))'
  const values = projections === undefined ? [] : [projections.map(p => p.name), projections.map(p => p.version)]
  const { rows } = await client.query(
    `select ${COLUMNS} from checkpoints${chosen} order by projection, version, bucket`,
    values,
  )
  return rows.map(asCheckpoint)
}

const MOVE_FIELDS = [
  { name: 'projection', type: 'text' },
  { name: 'version', type: 'integer' },
  { name: 'bucket', type: 'integer' },
  { name: 'epoch', type: 'bigint' },
  { name: 'from', type: 'bigint' },
  { name: 'to', type: 'bigint' },
  { name: 'state', type: 'text' },
  { name: 'error', type: 'jsonb' },
] as const

/**
 * The statement that moves checkpoints: the first of its transaction, so that two owners cannot write the same rows at
 * once. It divides by zero when one of them is not where `from` and `epoch` say, which rolls everything back.
 */
export const moveStatement = (moves: readonly Move[]): Statement => ({
  name: 'move-checkpoints',
  // Rows are locked in key order, as by a rebuild that swaps tables: two who lock by chance may wait for each other.
  text: `with m as materialized (
      select * from unnest($1::text[], $2::int[], $3::int[], $4::bigint[], $5::bigint[], $6::bigint[], $7::text[],
        $8::jsonb[]) m(projection, version, bucket, epoch, old, new, state, error)),
    due as materialized (
      select c.projection, c.version, c.bucket from checkpoints c join m using (projection, version, bucket)
      where c.epoch = m.epoch and c.position = m.old
      order by c.projection, c.version, c.bucket for update of c),
    moved as (
      update checkpoints c
      set position = m.new, state = m.state, error = m.error, updated_at = clock_timestamp()
      from m join due using (projection, version, bucket)
      where c.projection = m.projection and c.version = m.version and c.bucket = m.bucket
      returning 1)
    select 1 / (count(*) = $9::int)::int from moved`,
  values: [...MOVE_FIELDS.map(field => arrayLiteral(field, moves)), String(moves.length)],
})

/** The statement that tells whoever waits for a position, at the commit of its transaction. */
export const announceStatement = (position: bigint): Statement => ({
  name: 'announce',
  text: `select pg_notify('${CHECKPOINT_CHANNEL}', $1)`,
  values: [String(position)],
})

/** A row of the table as a checkpoint. */
export function asCheckpoint(row: Record<string, unknown>): Checkpoint {
  return {
    projection: row.projection as string,
    version: row.version as number,
    bucket: row.bucket as number,
    position: BigInt(row.position as string | bigint),
    epoch: BigInt(row.epoch as string | bigint),
    state: row.state as PartitionState,
    error: row.error as Fault | null,
    updatedAt: row.updated_at instanceof Date ? row.updated_at.toISOString() : String(row.updated_at),
  }
}
