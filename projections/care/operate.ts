/** What operators do with projections: look, try again, go past an event, drop versions that are not read any more. */
import { setTimeout as sleep } from 'node:timers/promises'
import type { Pool } from 'pg'
import { asCheckpoint, type Checkpoint, type Fault, readCheckpoints } from '../ownership/checkpoints.ts'
import { forgetCheckpoints } from '../ownership/fencing.ts'
import { ALIVE, CONNECTED } from '../ownership/leases.ts'
import { ifUnserved } from '../ownership/serving.ts'
import { LEASES, OWN_CHECKPOINTS, PROJECTORS } from '../ownership/tables.ts'
import { greatest, least } from '../rows/positions.ts'
import type { AnyProjection } from '../rows/projection.ts'
import { historyTableOf, quoted, tableOf } from '../rows/tables.ts'

/**
 * `beyond the log`: rows were made of events that the log does not have. `not run`, `partly run`: living projectors
 * work on none, or not on all, of its buckets; an older version may be left like that, one of this code may not.
 */
export type ProjectionState =
  | 'running'
  | 'catching up'
  | 'retrying'
  | 'partly run'
  | 'not run'
  | 'stalled'
  | 'beyond the log'

/** One version of a projection over all of its buckets. */
export type ProjectionStatus = {
  readonly projection: string
  readonly version: number
  readonly state: ProjectionState
  /** The positions of its least and of its furthest bucket. */
  readonly position: bigint
  readonly furthest: bigint
  /** When the least of them moved last, ISO 8601. */
  readonly movedAt: string
  /** Buckets by the living projector that works on them; `''` for those without one. */
  readonly owners: Readonly<Record<string, readonly number[]>>
  readonly faults: readonly Checkpoint[]
}

/** How far a bucket may be behind the head, in positions, and still count as running rather than catching up. */
const NEAR = 100_000n

/** Every version of every projection that the database knows, and the head of the log, asked for after that. */
export async function projectionStatus(
  pool: Pool,
  projections: readonly AnyProjection[],
  headOf: () => Promise<bigint>,
): Promise<{ readonly head: bigint; readonly statuses: readonly ProjectionStatus[] }> {
  const checkpoints = await readCheckpoints(pool)
  const { rows: leases } = await pool.query<{ projection: string; version: number; bucket: number; owner: string }>(
    `select projection, version, bucket,
       case when owner in (select id from ${PROJECTORS} where ${ALIVE}) then owner else '' end as owner
     from ${LEASES} order by bucket`,
  )
  const head = await headOf()
  const names = [...new Set(checkpoints.map(nameOf))]
  const statuses = names.map(name => {
    const own = checkpoints.filter(checkpoint => nameOf(checkpoint) === name)
    const { projection, version } = own[0]!
    const owners: Record<string, number[]> = {}
    for (const lease of leases) {
      if (nameOf(lease) === name) owners[lease.owner] = [...(owners[lease.owner] ?? []), lease.bucket]
    }
    const position = least(own.map(checkpoint => checkpoint.position))
    const isOfThisCode = projections.some(each => tableOf(each) === name)
    const owned = own.length - (owners[''] ?? []).length
    return {
      projection,
      version,
      state: stateOf(own, { isOfThisCode, owned, head }),
      position,
      furthest: greatest(own.map(checkpoint => checkpoint.position)),
      movedAt: own
        .filter(checkpoint => checkpoint.position === position)
        .map(({ updatedAt }) => updatedAt)
        .sort()
        .at(-1)!,
      owners,
      faults: own.filter(({ state }) => state !== 'running'),
    }
  })
  return { head, statuses }
}

/**
 * Lets a projection go on where events stopped it, with all of its tries before it stalls again; returns the number of
 * buckets. Used after a mended release, and after a skip was written: projectors read the skips anew.
 */
export async function resumeStalled(pool: Pool, projection: string, buckets?: readonly number[]): Promise<number> {
  const { rowCount } = await pool.query(
    `update ${OWN_CHECKPOINTS} set state = 'running', error = null
     where projection = $1 and state <> 'running' and ($2::int[] is null or bucket = any($2))`,
    [projection, buckets ?? null],
  )
  return rowCount ?? 0
}

/** The outcome of one more try: the event was taken, it stopped the projection again, or no projector has tried. */
export type Tried = Pick<Checkpoint, 'version' | 'bucket'> & {
  readonly outcome: 'taken' | 'stopped' | 'not tried'
  readonly fault: Fault
}

const LOOK_MS = 100

/**
 * Tries each event that stopped a projection once more and waits for the outcome. Earlier tries count: an event that
 * fails again stops the projection again at once, whereas `resumeStalled` begins to count anew.
 */
export async function retryStalled(pool: Pool, projection: string, waitMs: number): Promise<readonly Tried[]> {
  const { rows } = await pool.query<Record<string, unknown>>(
    `update ${OWN_CHECKPOINTS} set state = 'running' where projection = $1 and state <> 'running' returning *`,
    [projection],
  )
  const stopped = rows.map(asCheckpoint)
  const deadline = performance.now() + waitMs
  for (;;) {
    const now = await readCheckpoints(pool)
    const tried = stopped.map(before =>
      outcomeOf(
        before,
        now.find(after => isSame(before, after)),
      ),
    )
    if (tried.every(({ outcome }) => outcome !== 'not tried') || performance.now() > deadline) return tried
    await sleep(LOOK_MS)
  }
}

const isSame = (a: Checkpoint, b: Checkpoint) => nameOf(a) === nameOf(b) && a.bucket === b.bucket

function outcomeOf({ version, bucket, error }: Checkpoint, after: Checkpoint | undefined): Tried {
  const fault = error!
  if (after && after.position >= BigInt(fault.position)) return { version, bucket, outcome: 'taken', fault }
  const again = after?.error && after.state !== 'running' && after.error.attempts > fault.attempts
  return { version, bucket, outcome: again ? 'stopped' : 'not tried', fault: again ? after.error! : fault }
}

/** Whether an event at this position stops the projection somewhere: nothing else may be skipped. */
export async function isStoppedAt(pool: Pool, projection: string, position: bigint): Promise<boolean> {
  const checkpoints = await readCheckpoints(pool)
  return checkpoints.some(({ projection: name, state, error }) => {
    return name === projection && state !== 'running' && error?.position === String(position)
  })
}

/** The outcome for a version that this code does not run: dropped, or kept for a reason. */
export type Pruned = { readonly table: string; readonly kept?: 'newer' | 'a projector runs it' | 'a process reads it' }

/**
 * Drops tables and checkpoints that this code does not run any more: older versions of its projections, and projections
 * that it does not have. Keeps those that a living projector builds or a living process reads, and newer versions.
 */
export async function pruneVersions(pool: Pool, projections: readonly AnyProjection[]): Promise<readonly Pruned[]> {
  const { rows } = await pool.query<{ runs: string[] }>(
    `select runs from ${PROJECTORS} where ${CONNECTED} and seen_at > clock_timestamp() - interval '1 minute'`,
  )
  const running = new Set(rows.flatMap(({ runs }) => runs))
  const old = new Map<string, Pick<Checkpoint, 'projection' | 'version'>>()
  for (const checkpoint of await readCheckpoints(pool)) {
    const own = projections.find(({ name }) => name === checkpoint.projection)
    if (own?.version !== checkpoint.version) old.set(nameOf(checkpoint), checkpoint)
  }
  const pruned: Pruned[] = []
  for (const [table, { projection, version }] of old) {
    const own = projections.find(({ name }) => name === projection)
    if (own && own.version < version) pruned.push({ table, kept: 'newer' })
    else if (running.has(table)) pruned.push({ table, kept: 'a projector runs it' })
    else if (await drop(pool, { name: projection, version })) pruned.push({ table })
    else pruned.push({ table, kept: 'a process reads it' })
  }
  return pruned
}

function drop(pool: Pool, named: Pick<AnyProjection, 'name' | 'version'>): Promise<boolean> {
  return ifUnserved(pool, named, async client => {
    await client.query(`drop table if exists ${quoted(tableOf(named))}, ${quoted(historyTableOf(named))}`)
    await forgetCheckpoints(client, named)
  })
}

const nameOf = ({ projection, version }: Pick<Checkpoint, 'projection' | 'version'>): string =>
  `${projection}_v${version}`

function stateOf(
  own: readonly Checkpoint[],
  { isOfThisCode, owned, head }: { isOfThisCode: boolean; owned: number; head: bigint },
): ProjectionState {
  if (!isOfThisCode && owned === 0) return 'not run'
  if (own.some(({ position }) => position > head)) return 'beyond the log'
  if (own.some(({ state }) => state === 'stalled')) return 'stalled'
  if (owned < own.length) return owned === 0 ? 'not run' : 'partly run'
  if (own.some(({ state }) => state === 'retrying')) return 'retrying'
  return head - least(own.map(({ position }) => position)) > NEAR ? 'catching up' : 'running'
}
