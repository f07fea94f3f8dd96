/**
 * Decides which row keeps the checkpoint of a partition. Partitions of one bucket that one projector works on and that
 * stand at the same position share a row, so that a batch moves one row for all of them. A partition that stands
 * elsewhere, or that an event has stopped, has a row of its own.
 *
 * Joining and leaving move no position. They raise the epoch of the shared row, so that a process that does not know of
 * the change cannot move it. Transactions lock own rows in the order of their keys, then shared rows by their ids.
 */
import { randomUUID } from 'node:crypto'
import type { Pool } from 'pg'
import { arrayLiteral } from '../rows/encode.ts'
import type { Statement } from '../rows/pipeline.ts'
import { greatest } from '../rows/positions.ts'
import { type Checkpoint, type OwnMove, runFenced, type SharedMove } from './checkpoints.ts'
import type { Partition, SharedRow } from './partitions.ts'
import { OWN_CHECKPOINTS, SHARED_CHECKPOINTS } from './tables.ts'

/** What a batch moves, and which partitions must have rows of their own before it can. */
export type MovePlan = {
  readonly leaving: readonly Partition[]
  readonly own: readonly OwnMove[]
  readonly shared: readonly SharedMove[]
}

/**
 * The moves that take partitions as far as `advances` says. A shared row goes on with the largest part of its members
 * that run and stand together afterwards; the others leave it.
 */
export function planMoves(advances: ReadonlyMap<Partition, bigint>): MovePlan {
  const leaving = new Set<Partition>()
  const rows = new Set<SharedRow>()
  const own: OwnMove[] = []
  for (const { shared } of advances.keys()) if (shared) rows.add(shared)
  const shared = [...rows].flatMap(row => moveOf(row, advances, leaving))
  for (const [partition, to] of advances) {
    if (!partition.shared || leaving.has(partition)) own.push(ownMoveOf(partition, to))
  }
  return { leaving: [...leaving], own, shared }
}

/** The move of a shared row, if any of its members go on with it; the others are added to `leaving`. */
function moveOf(row: SharedRow, advances: ReadonlyMap<Partition, bigint>, leaving: Set<Partition>): SharedMove[] {
  const members = [...row.members]
  const from = members[0]!.committed
  const targetOf = (member: Partition) => advances.get(member) ?? from
  const first = targetOf(members[0]!)
  const { id, epoch } = row
  if (members.every(member => member.state === 'running' && targetOf(member) === first)) {
    return [{ id, epoch, from, to: first }]
  }
  const sizes = new Map<bigint, number>()
  for (const member of members) {
    if (member.state === 'running') sizes.set(targetOf(member), (sizes.get(targetOf(member)) ?? 0) + 1)
  }
  const [most] = [...sizes].sort(([, a], [, b]) => b - a)
  for (const member of members) {
    if (member.state !== 'running' || targetOf(member) !== most?.[0]) leaving.add(member)
  }
  return most ? [{ id, epoch: epoch + 1n, from, to: most[0] }] : []
}

function ownMoveOf({ projection, bucket, epoch, committed, state, fault }: Partition, to: bigint): OwnMove {
  const { name, version } = projection
  const error = state === 'running' ? null : fault
  return { projection: name, version, bucket, epoch, from: committed, to, state, error }
}

/** A partition as the statements of this file name it: its key, its epoch, and the row that it shares. */
type Membership = Pick<Checkpoint, 'projection' | 'version' | 'bucket' | 'epoch'> & { readonly shared: string | null }

const membershipOf = ({
  projection,
  bucket,
  epoch,
  shared,
}: Partition): Membership & { readonly position: bigint } => ({
  projection: projection.name,
  version: projection.version,
  bucket,
  epoch,
  shared: shared?.id ?? null,
  position: 0n,
})

/** Gives partitions rows of their own, at the position of the row that they shared. Throws `FencedError`. */
export async function leaveShared(pool: Pool, partitions: readonly Partition[]): Promise<void> {
  const members = partitions.filter(({ shared }) => shared !== undefined)
  if (members.length === 0) return
  const rows = new Set(members.map(({ shared }) => shared!))
  await separate(pool, members.map(membershipOf))
  for (const row of rows) row.epoch += 1n
  for (const member of members) {
    member.shared!.members.delete(member)
    member.shared = undefined
  }
}

/** Whether a partition shares its row with one that is not among these. */
export const isSharedBeyond =
  (these: readonly Partition[]) =>
  ({ shared }: Partition): boolean =>
    [...(shared?.members ?? [])].some(member => !these.includes(member))

/** Gives rows of their own to partitions of which only the stored checkpoints are known. Throws `FencedError`. */
export async function separate(pool: Pool, members: readonly Membership[]): Promise<void> {
  const ids = [...new Set(members.map(({ shared }) => shared!))]
  await runFenced(
    pool,
    [lockOwn(members.map(member => ({ ...member, position: 0n })))],
    [raiseEpochs(ids), ownPositions(members), dropEmpty(ids)],
  )
}

/** Partitions of one bucket that stand together and do not all share one row: each list is to be given one. */
export function partitionsToJoin(partitions: readonly Partition[]): readonly (readonly Partition[])[] {
  const byBucket = new Map<number, Partition[]>()
  for (const partition of partitions.filter(mayShare)) {
    const others = byBucket.get(partition.bucket)
    if (others) others.push(partition)
    else byBucket.set(partition.bucket, [partition])
  }
  return [...byBucket.values()].flatMap(list => {
    const foremost = greatest(list.map(({ committed }) => committed))
    const together = list.filter(({ committed }) => committed === foremost)
    const [first] = together
    const areJoined = first!.shared !== undefined && together.every(({ shared }) => shared === first!.shared)
    return together.length < 2 || areJoined ? [] : [together]
  })
}

/** Whether a partition runs, is stored as running, and has passed the event that stopped it, if one did. */
const mayShare = ({ state, storedState, fault, committed }: Partition): boolean =>
  state === 'running' && storedState === 'running' && (fault === null || BigInt(fault.position) <= committed)

/**
 * Gives each list of partitions of a bucket one row for all of them; rows that they shared before are dropped. `owner`
 * is the projector that works on them. Throws `FencedError` where a checkpoint is not where this process left it.
 */
export async function joinShared(pool: Pool, owner: string, lists: readonly (readonly Partition[])[]): Promise<void> {
  const rows = lists.map(members => ({
    id: randomUUID(),
    bucket: members[0]!.bucket,
    position: members[0]!.committed,
    members,
  }))
  const members = rows.flatMap(row => row.members.map(member => ({ ...membershipOf(member), ...at(row) })))
  const before = new Map<SharedRow, bigint>()
  for (const { shared, committed } of lists.flat()) if (shared) before.set(shared, committed)
  const old = [...before].map(([{ id, epoch }, position]) => ({ id, epoch, position }))
  await runFenced(
    pool,
    [lockOwn(members), ...(old.length > 0 ? [lockShared(old)] : [])],
    [
      ...(old.length > 0 ? [raiseEpochs(old.map(({ id }) => id))] : []),
      makeShared(rows, owner),
      shareRows(members),
      ...(old.length > 0 ? [dropEmpty(old.map(({ id }) => id))] : []),
    ],
  )
  // A member that stays behind, because an event stops it just now, must find the row as it is stored.
  for (const row of before.keys()) row.epoch += 1n
  for (const member of lists.flat()) member.shared?.members.delete(member)
  for (const row of rows) {
    const shared: SharedRow = { id: row.id, epoch: 0n, members: new Set(row.members) }
    for (const member of row.members) member.shared = shared
  }
}

const at = ({ id, position }: { readonly id: string; readonly position: bigint }) => ({ into: id, position })

const KEY_FIELDS = [
  { name: 'projection', type: 'text' },
  { name: 'version', type: 'integer' },
  { name: 'bucket', type: 'integer' },
] as const
const KEYS = '$1::text[], $2::int[], $3::int[]'
const keysOf = (members: readonly Membership[]) => KEY_FIELDS.map(field => arrayLiteral(field, members))
const idsOf = (ids: readonly string[]) => `{${ids.join(',')}}`

/** Locks own rows; divides by zero where one has another epoch, shares another row, or stands elsewhere by itself. */
const lockOwn = (members: readonly (Membership & { readonly position: bigint })[]): Statement => ({
  name: 'lock-own-checkpoints',
  text: `with k as materialized (
      select * from unnest(${KEYS}, $4::bigint[], $5::uuid[], $6::bigint[])
        k(projection, version, bucket, epoch, shared, position)),
    due as materialized (
      select c.bucket from ${OWN_CHECKPOINTS} c join k using (projection, version, bucket)
      where c.epoch = k.epoch and c.shared is not distinct from k.shared
        and (c.shared is not null or c.position = k.position)
      order by c.projection, c.version, c.bucket for update of c)
    select 1 / (count(*) = $7::int)::int from due`,
  values: [
    ...keysOf(members),
    arrayLiteral({ name: 'epoch', type: 'bigint' }, members),
    arrayLiteral({ name: 'shared', type: 'text' }, members),
    arrayLiteral({ name: 'position', type: 'bigint' }, members),
    String(members.length),
  ],
})

/** Locks shared rows; divides by zero where one has another epoch or stands elsewhere. */
const lockShared = (rows: readonly Pick<SharedMove, 'id' | 'epoch'>[]): Statement => ({
  name: 'lock-shared-checkpoints',
  text: `with k as materialized (
      select * from unnest($1::uuid[], $2::bigint[], $3::bigint[]) k(id, epoch, position)),
    due as materialized (
      select s.id from ${SHARED_CHECKPOINTS} s join k using (id)
      where s.epoch = k.epoch and s.position = k.position order by s.id for update of s)
    select 1 / (count(*) = $4::int)::int from due`,
  values: [
    arrayLiteral({ name: 'id', type: 'text' }, rows),
    arrayLiteral({ name: 'epoch', type: 'bigint' }, rows),
    arrayLiteral({ name: 'position', type: 'bigint' }, rows),
    String(rows.length),
  ],
})

/** SQL that raises the epochs of shared rows, so that no owner that knows the ones before can move them. */
export const RAISE_EPOCHS = `with due as materialized (
    select id from ${SHARED_CHECKPOINTS} where id = any($1::uuid[]) order by id for update)
  update ${SHARED_CHECKPOINTS} s set epoch = epoch + 1 from due where s.id = due.id`

/** SQL that drops shared rows without members. */
export const DROP_EMPTY = `delete from ${SHARED_CHECKPOINTS} s
  where id = any($1::uuid[]) and not exists (select from ${OWN_CHECKPOINTS} c where c.shared = s.id)`

const raiseEpochs = (ids: readonly string[]): Statement => ({
  name: 'raise-shared-epochs',
  text: RAISE_EPOCHS,
  values: [idsOf(ids)],
})

const dropEmpty = (ids: readonly string[]): Statement => ({
  name: 'drop-empty-checkpoints',
  text: DROP_EMPTY,
  values: [idsOf(ids)],
})

/** Writes into own rows where the shared ones stand. */
const ownPositions = (members: readonly Membership[]): Statement => ({
  name: 'leave-shared-checkpoints',
  text: `update ${OWN_CHECKPOINTS} c set position = s.position, updated_at = s.updated_at, shared = null
    from unnest(${KEYS}) k(projection, version, bucket), ${SHARED_CHECKPOINTS} s
    where (c.projection, c.version, c.bucket) = (k.projection, k.version, k.bucket) and s.id = c.shared`,
  values: keysOf(members),
})

const makeShared = (
  rows: readonly { readonly id: string; readonly bucket: number; readonly position: bigint }[],
  owner: string,
): Statement => ({
  name: 'make-shared-checkpoints',
  text: `insert into ${SHARED_CHECKPOINTS} (id, bucket, position, owner)
    select id, bucket, position, $4 from unnest($1::uuid[], $2::int[], $3::bigint[]) k(id, bucket, position)`,
  values: [
    idsOf(rows.map(({ id }) => id)),
    arrayLiteral({ name: 'bucket', type: 'integer' }, rows),
    arrayLiteral({ name: 'position', type: 'bigint' }, rows),
    owner,
  ],
})

const shareRows = (members: readonly (Membership & { readonly into: string })[]): Statement => ({
  name: 'join-shared-checkpoints',
  text: `update ${OWN_CHECKPOINTS} c set shared = k.row_id, error = null
    from unnest(${KEYS}, $4::uuid[]) k(projection, version, bucket, row_id)
    where (c.projection, c.version, c.bucket) = (k.projection, k.version, k.bucket)`,
  values: [...keysOf(members), arrayLiteral({ name: 'into', type: 'text' }, members)],
})
