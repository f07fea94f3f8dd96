/** Checks stored rows against an independent fold of the log, table by table and org by org. */
import type { PoolClient } from 'pg'
import { categoryOf } from '../../domain/kernel/codec.ts'
import { KogiError } from '../../domain/kernel/errors.ts'
import type { StoredEvent } from '../../domain/kernel/event.ts'
import { readCheckpoints } from '../ownership/checkpoints.ts'
import type { Decode, EventLog } from '../ports.ts'
import { allBuckets, BUCKETS, bucketOf } from '../rows/bucket.ts'
import type { Skips } from '../rows/fold.ts'
import { greatest, least } from '../rows/positions.ts'
import { type AnyProjection, concerns } from '../rows/projection.ts'
import { isAppendOnly, tableOf, tablesOf } from '../rows/tables.ts'
import { type Compared, Comparison } from './comparison.ts'

/** The result of the check of one table. */
export type CheckedTable = Compared & {
  /** The position that all of its buckets had reached; each bucket was compared at its own checkpoint. */
  readonly position: bigint
}

export type CheckOptions = {
  /** Inside a REPEATABLE READ transaction: rows and checkpoints of one instant, whatever is written meanwhile. */
  readonly client: PoolClient
  readonly events: EventLog
  readonly decode: Decode
  readonly projections: readonly AnyProjection[]
  /** Only this org. */
  readonly org?: string
  /** How many rows that events change may be in memory at once, of all tables together: more take several passes. */
  readonly rowsMax?: number
  readonly onProgress?: (events: number) => void
  /** Called before the stored rows of a table are compared, where they take several passes for each of these. */
  readonly onComparing?: () => void
}

const ROWS_MAX = 1_000_000
/** How many orgs of one projection have their first difference looked for in the log, where only sums were kept. */
const EXPLAINED_MAX = 5

/**
 * Checks tables against the log, each bucket at its own checkpoint, in one pass over the log for all of them. Fails
 * when an engine does not answer, and with `rebuilt_meanwhile` when a rebuild put other tables in the place of these.
 */
export async function checkTables(options: CheckOptions): Promise<readonly CheckedTable[]> {
  const { client, projections, events, org, rowsMax = ROWS_MAX, onComparing = () => {} } = options
  const checkpoints = await readCheckpoints(client, projections)
  const reached = new Map(checkpoints.map(c => [`${c.projection}/${c.bucket}`, c.position]))
  const skips = await events.skips(projections.map(({ name }) => name))
  const pass = { reached, to: greatest(reached.values()), skips }
  const tables = projections.map(projection => new Comparison(projection))
  const groups = org === undefined ? await passes(client, projections, rowsMax) : [[bucketOf(org)]]
  for (const group of groups) {
    const buckets = new Set(group)
    for await (const [event, concerned] of eventsFor(options, tables, { ...pass, buckets })) {
      const decoded = options.decode(event)
      for (const table of concerned) table.take(decoded)
    }
    for (const table of tables.filter(({ summed }) => !summed)) {
      onComparing()
      await table.compare(client, buckets, org)
    }
  }
  for (const table of tables.filter(({ summed }) => summed)) {
    onComparing()
    await table.compare(client, new Set(allBuckets), org)
  }
  for (const table of tables.filter(({ projection }) => projection.history)) {
    onComparing()
    await table.compareVersions(client, org)
  }
  await explain(options, tables, pass)
  await refuseSwapped(client, projections)
  return tables.flatMap(table => {
    const own = checkpoints.filter(({ projection }) => projection === table.projection.name)
    const position = least(own.map(checkpoint => checkpoint.position))
    return table.results().map(result => ({ ...result, position }))
  })
}

/** A table that came after the snapshot began looks empty in it: names are of the present, rows of the snapshot. */
async function refuseSwapped(client: PoolClient, projections: readonly AnyProjection[]): Promise<void> {
  const { rows } = await client.query<{ name: string }>(
    `select name from unnest($1::text[]) name where to_regclass(quote_ident(name)) is distinct from (
       select oid::regclass from pg_class where relname = name and relnamespace = current_schema()::regnamespace)`,
    [projections.flatMap(tablesOf)],
  )
  if (rows.length === 0) return
  const names = rows.map(({ name }) => name).join(', ')
  throw new KogiError('rebuilt_meanwhile', `${names} was rebuilt while it was checked: check again.`)
}

type Pass = {
  readonly reached: ReadonlyMap<string, bigint>
  readonly to: bigint
  readonly skips: Skips
  readonly buckets?: ReadonlySet<number>
  readonly orgs?: ReadonlySet<string>
}

/** The events of a pass, each with the tables that have taken it by their checkpoints. */
async function* eventsFor(
  { events, org: only, onProgress }: CheckOptions,
  tables: readonly Comparison[],
  { reached, to, skips, buckets, orgs }: Pass,
): AsyncGenerator<readonly [StoredEvent, readonly Comparison[]]> {
  const byKind = new Map<string, readonly Comparison[]>()
  for await (const list of events.read({ after: 0n, to, max: 1_000 })) {
    for (const stored of list) {
      const org = typeof stored.metadata?.org === 'string' ? stored.metadata.org : ''
      const bucket = bucketOf(org)
      if ((only !== undefined && org !== only) || orgs?.has(org) === false || buckets?.has(bucket) === false) continue
      const kind = `${categoryOf(stored.stream)} ${stored.type}`
      const takers = byKind.get(kind) ?? tables.filter(({ projection }) => concerns(projection, stored))
      byKind.set(kind, takers)
      const concerned = takers.filter(({ projection: { name } }) => {
        return stored.position <= (reached.get(`${name}/${bucket}`) ?? 0n) && !skips.get(name)?.has(stored.position)
      })
      if (concerned.length > 0) yield [stored, concerned]
    }
    onProgress?.(list.length)
  }
}

/** Reads the log once more where sums differ, for the first orgs of each table alone. */
async function explain(options: CheckOptions, tables: readonly Comparison[], pass: Pass): Promise<void> {
  const wanted = new Map(tables.map(table => [table, new Set(table.unclear.slice(0, EXPLAINED_MAX))]))
  const orgs = new Set([...wanted.values()].flatMap(some => [...some]))
  if (orgs.size === 0) return
  for await (const [event, concerned] of eventsFor(options, tables, { ...pass, orgs })) {
    const unclear = concerned.filter(table => wanted.get(table)!.has(event.metadata.org))
    const decoded = unclear.length > 0 ? options.decode(event) : undefined
    for (const table of unclear) table.gather(decoded!)
  }
  for (const [table, some] of wanted) for (const org of some) await table.explain(options.client, org)
}

/** Groups of buckets, each small enough for the memory, by the number of rows that the planner remembers. */
async function passes(client: PoolClient, projections: readonly AnyProjection[], max: number): Promise<number[][]> {
  const { rows } = await client.query<{ rows: number }>(
    'select coalesce(sum(reltuples), 0)::float8 as rows from pg_class where relname = any($1)',
    [projections.filter(projection => !isAppendOnly(projection)).map(tableOf)],
  )
  const count = Math.min(BUCKETS, Math.max(1, Math.ceil(rows[0]!.rows / max)))
  const groups = Array.from({ length: count }, (): number[] => [])
  for (let bucket = 0; bucket < BUCKETS; bucket += 1) groups[bucket % count]!.push(bucket)
  return groups
}
