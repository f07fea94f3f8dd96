import { KogiError } from '../domain/kernel/errors.ts'
import { CHECKPOINTS } from '../projections/ownership/tables.ts'
import type { AnyProjection } from '../projections/rows/projection.ts'
import { indexNamesOf, tableOf } from '../projections/rows/tables.ts'
import type { ReadPool } from './pool.ts'

/** How often checkpoints are looked at while a version is built; it counts as built up to this long behind. */
const LOOK_MS = 500

/** Whether the versions that a process was built for can be read. */
export type Versions = {
  /**
   * Throws `read_model_building` for a projection whose version has not yet come as far as another one, or has not all
   * of its indexes, and for one that has not come as far as the one that it is `after`. Once it has, it is read from
   * then on, whichever of the two is ahead, and asking costs nothing.
   */
  readonly built: (projections: readonly AnyProjection[]) => Promise<void> | undefined
}

type Row = readonly [projection: string, version: number, bucket: number, position: string]
type Behind = { readonly position: bigint; readonly goal: bigint }
/** The words for what a version lacks. */
type Shortfall = string

/**
 * Follows the building of new versions. A version has caught up when in every bucket it stands where the foremost other
 * one stood at the look before: while events come in, each of the two is ahead by turns. Rolled back, the old code asks
 * the same of its old tables. A read model without another version, which an answer is moved to, is compared with the
 * one that it is `after`: sums of one that lags and one that does not would be wrong.
 */
export function followVersions(pool: ReadPool): Versions {
  const built = new Set<AnyProjection>()
  const goals = new Map<string, bigint>()
  const short = new Map<AnyProjection, Shortfall>()
  let lookedAt = Number.NEGATIVE_INFINITY
  let looking: Promise<void> | undefined

  async function look(projections: readonly AnyProjection[]): Promise<void> {
    const rows = await checkpointsOf(pool, projections)
    for (const projection of projections) {
      const isNew = rows.some(([name, version]) => name === projection.name && version !== projection.version)
      const found = shortfallOf(projection, rows, goals) ?? (isNew ? await unindexed(pool, projection) : undefined)
      if (found) short.set(projection, found)
      else if (rows.length > 0) built.add(projection)
    }
    lookedAt = performance.now()
  }
  async function settled(projections: readonly AnyProjection[]): Promise<void> {
    await looking
    const open = projections.filter(projection => !built.has(projection))
    const unseen = open.some(projection => !short.has(projection))
    if (unseen || performance.now() - lookedAt >= LOOK_MS) {
      looking = look(open).finally(() => {
        looking = undefined
      })
      await looking
    }
    const building = open.filter(projection => !built.has(projection) && short.has(projection))
    if (building.length > 0) throw buildingError(building, short)
  }
  return {
    built: projections => (projections.every(projection => built.has(projection)) ? undefined : settled(projections)),
  }
}

/** How far a version is behind, in the bucket where it is furthest behind; `undefined` where it is not. */
function shortfallOf(
  { name, version, after }: AnyProjection,
  rows: readonly Row[],
  goals: Map<string, bigint>,
): Shortfall | undefined {
  const own = new Map<number, bigint>()
  const others = new Map<number, bigint>()
  for (const [projection, ofVersion, bucket, text] of rows) {
    if (projection !== name && projection !== after?.name) continue
    const position = BigInt(text)
    if (projection === name && ofVersion === version) own.set(bucket, position)
    else if (position > (others.get(bucket) ?? -1n)) others.set(bucket, position)
  }
  let worst: Behind | undefined
  for (const [bucket, now] of others) {
    const key = `${name}_v${version}/${bucket}`
    const before = goals.get(key)
    const goal = before !== undefined && before < now ? before : now
    const position = own.get(bucket) ?? 0n
    goals.set(key, now)
    if (position < goal && (!worst || position < worst.position)) worst = { position, goal }
  }
  return worst && `at position ${worst.position} of ${worst.goal}`
}

/** The indexes that a new version still lacks. It takes over when they are there: without them it would be slow. */
async function unindexed(pool: ReadPool, projection: AnyProjection): Promise<Shortfall | undefined> {
  const missing = await absent(pool, indexNamesOf(projection))
  return missing.length === 0 ? undefined : `${missing.length} of its indexes are still to come`
}

/** Which of these tables and indexes are not there. */
export async function absent(pool: ReadPool, names: readonly string[]): Promise<readonly string[]> {
  const text = 'select name from unnest($1::text[]) name where to_regclass(quote_ident(name)) is null'
  const { rows } = await pool.query({ text, values: [names], rowMode: 'array' })
  return rows.map(([name]) => name as string)
}

async function checkpointsOf(pool: ReadPool, projections: readonly AnyProjection[]): Promise<Row[]> {
  const text = `select projection, version::int4, bucket::int4, position::text from ${CHECKPOINTS}
    where projection = any($1)`
  const names = projections.flatMap(({ name, after }) => (after ? [name, after.name] : [name]))
  try {
    const { rows } = await pool.query({ text, values: [names], rowMode: 'array' })
    return rows as unknown as Row[]
  } catch (error) {
    // No table of checkpoints: nothing has been built yet.
    if ((error as { code?: unknown }).code === '42P01') return []
    throw error
  }
}

function buildingError(building: readonly AnyProjection[], short: ReadonlyMap<AnyProjection, Shortfall>): KogiError {
  const details = building.map(projection => {
    return { field: tableOf(projection), message: short.get(projection)! }
  })
  const names = details.map(({ field, message }) => `${field} ${message}`).join(', ')
  return new KogiError('read_model_building', `A read model of this release is still being built: ${names}.`, details)
}
