/** How far each projection has come in each bucket, moved by compare-and-set in the transaction of the batch. */
import type { ClientBase, Pool } from 'pg'
import { BUCKETS } from '../rows/bucket.ts'
import { arrayLiteral } from '../rows/encode.ts'
import { PipelineError, runPipeline, type Statement } from '../rows/pipeline.ts'
import type { AnyProjection } from '../rows/projection.ts'
import { CHECKPOINT_CHANNEL, CHECKPOINTS, LEASES, OWN_CHECKPOINTS, SHARED_CHECKPOINTS } from './tables.ts'

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
  /** Grows with every owner and every rebuild: a process that knows an earlier one writes nothing. */
  readonly epoch: bigint
  readonly state: PartitionState
  readonly error: Fault | null
  /** When it last moved, ISO 8601. */
  readonly updatedAt: string
}

/** A move of a checkpoint that a partition keeps in its own row, from where this owner knows it to be. */
export type OwnMove = Pick<Checkpoint, 'projection' | 'version' | 'bucket' | 'epoch' | 'state' | 'error'> & {
  readonly from: bigint
  readonly to: bigint
}

/** A move of a checkpoint that several partitions share. */
export type SharedMove = { readonly id: string; readonly epoch: bigint; readonly from: bigint; readonly to: bigint }

/** A checkpoint is not where this process left it: another projector owns the bucket now, or the database went back. */
export class FencedError extends Error {
  override readonly name = 'FencedError'
}

/** Lets a `FencedError` pass: the next round of the runner reads what the other owner did. */
export function unlessFenced(error: unknown): void {
  if (!(error instanceof FencedError)) throw error
}

/** Makes the rows of a projection where they are absent: all buckets, at position 0, without an owner. */
export async function ensureCheckpoints(
  client: ClientBase | Pool,
  projections: readonly Pick<AnyProjection, 'name' | 'version'>[],
): Promise<void> {
  for (const table of [OWN_CHECKPOINTS, LEASES]) {
    // Rows that are there are left out, because an insert waits for a transaction that has changed such a row.
    await client.query(
      `insert into ${table} (projection, version, bucket)
       select p.name, p.version, bucket
       from unnest($1::text[], $2::int[]) p(name, version) cross join generate_series(0, ${BUCKETS - 1}) bucket
       where not exists (
         select from ${table} t where (t.projection, t.version, t.bucket) = (p.name, p.version, bucket.bucket))
       on conflict do nothing`,
      [projections.map(({ name }) => name), projections.map(({ version }) => version)],
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
    `select projection, version, bucket, position, epoch, state, error, updated_at
     from ${CHECKPOINTS}${chosen} order by projection, version, bucket`,
    values,
  )
  return rows.map(asCheckpoint)
}

const OWN_FIELDS = [
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
 * The statement that moves checkpoints in rows of their own. It divides by zero when one of them is not where `from`
 * and `epoch` say, which rolls everything back.
 */
const ownMoves = (moves: readonly OwnMove[]): Statement => ({
  name: 'move-own-checkpoints',
  // Every transaction that locks such rows does so in the order of their keys, so that no two wait for each other.
  text: `with m as materialized (
      select * from unnest($1::text[], $2::int[], $3::int[], $4::bigint[], $5::bigint[], $6::bigint[], $7::text[],
        $8::jsonb[]) m(projection, version, bucket, epoch, old, new, state, error)),
    due as materialized (
      select c.projection, c.version, c.bucket from ${OWN_CHECKPOINTS} c join m using (projection, version, bucket)
      where c.epoch = m.epoch and c.position = m.old and c.shared is null
      order by c.projection, c.version, c.bucket for update of c),
    moved as (
      update ${OWN_CHECKPOINTS} c
      set position = m.new, state = m.state, error = m.error, updated_at = clock_timestamp()
      from m join due using (projection, version, bucket)
      where c.projection = m.projection and c.version = m.version and c.bucket = m.bucket
      returning 1)
    select 1 / (count(*) = $9::int)::int from moved`,
  values: [...OWN_FIELDS.map(field => arrayLiteral(field, moves)), String(moves.length)],
})

const SHARED_FIELDS = [
  { name: 'id', type: 'text' },
  { name: 'epoch', type: 'bigint' },
  { name: 'from', type: 'bigint' },
  { name: 'to', type: 'bigint' },
] as const

/** The statement that moves shared checkpoints; it divides by zero as the other one does. */
const sharedMoves = (moves: readonly SharedMove[]): Statement => ({
  name: 'move-shared-checkpoints',
  text: `with m as materialized (
      select * from unnest($1::uuid[], $2::bigint[], $3::bigint[], $4::bigint[]) m(id, epoch, old, new)),
    due as materialized (
      select s.id from ${SHARED_CHECKPOINTS} s join m using (id)
      where s.epoch = m.epoch and s.position = m.old order by s.id for update of s),
    moved as (
      update ${SHARED_CHECKPOINTS} s set position = m.new, updated_at = clock_timestamp()
      from m join due using (id) where s.id = m.id returning 1)
    select 1 / (count(*) = $5::int)::int from moved`,
  values: [...SHARED_FIELDS.map(field => arrayLiteral(field, moves)), String(moves.length)],
})

/**
 * The statements that move checkpoints. They are the first of their transaction, own rows before shared ones, so that
 * two owners cannot write the same rows at once.
 */
export const moveStatements = (own: readonly OwnMove[], shared: readonly SharedMove[]): readonly Statement[] => [
  ...(own.length > 0 ? [ownMoves(own)] : []),
  ...(shared.length > 0 ? [sharedMoves(shared)] : []),
]

/** The statement that announces a position at the commit of its transaction. */
export const announceStatement = (position: bigint): Statement => ({
  name: 'announce',
  text: `select pg_notify('${CHECKPOINT_CHANNEL}', $1)`,
  values: [String(position)],
})

/** SQLSTATE that the first statements of a transaction raise when another owner has changed a checkpoint. */
const DIVISION_BY_ZERO = '22012'

/**
 * Runs a transaction in one round trip. Its first statements, `fences`, divide by zero where a checkpoint is not what
 * this owner knows: then it throws `FencedError`, and nothing is written.
 */
export async function runFenced(
  pool: Pool,
  fences: readonly Statement[],
  statements: readonly Statement[],
): Promise<void> {
  const client = await pool.connect()
  let broken: boolean | undefined
  try {
    await runPipeline(client, [...fences, ...statements])
  } catch (error) {
    broken = true
    if (!(error instanceof PipelineError)) throw error
    if (error.statement >= fences.length || error.code !== DIVISION_BY_ZERO) throw error
    throw new FencedError('checkpoints are not where they were left', { cause: error })
  } finally {
    client.release(broken)
  }
}

/** A row of the view as a checkpoint. */
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
