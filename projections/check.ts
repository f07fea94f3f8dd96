/** Whether the stored rows are what the log says: an independent fold of it, compared table by table, org by org. */
import type { PoolClient } from 'pg'
import { canonicalJson } from '../domain/kernel/json.ts'
import { BUCKETS, bucketOf } from './bucket.ts'
import { type TableDigest, TableDigester, tableDigest } from './digest.ts'
import { type FoldedRows, foldEvent, type Skips, sortedRows } from './fold.ts'
import type { Decode, EventLog } from './ports.ts'
import { type AnyProjection, handlerOf } from './projection.ts'
import { readCheckpoints } from './runner/checkpoints.ts'
import { greatest } from './runner/positions.ts'
import { storedRows } from './stored.ts'
import { byKey, type Row, tableOf } from './tables.ts'

/** The first row of an org in which table and log disagree; `undefined` on the side that has no such row. */
export type Difference = {
  readonly table: string
  readonly org: string
  readonly key: Readonly<Record<string, string>>
  readonly stored: Row | undefined
  readonly folded: Row | undefined
}

/** What the check of one table came to. */
export type CheckedTable = {
  readonly table: string
  readonly orgs: number
  readonly rows: number
  /** SHA-256 over the orgs' digests in the order of their ids: one value to compare two systems by. */
  readonly sha256: string
  readonly differences: readonly Difference[]
}

export type CheckOptions = {
  /** Inside a REPEATABLE READ transaction: rows and checkpoints of one instant, whatever is written meanwhile. */
  readonly client: PoolClient
  readonly events: EventLog
  readonly decode: Decode
  readonly projections: readonly AnyProjection[]
  /** Only this org. */
  readonly org?: string
  /** Events whose rows may be in memory at once: more are folded in several passes over the log. */
  readonly eventsMax?: number
  readonly onProgress?: (events: number) => void
}

const EVENTS_MAX = 250_000

/** Checks tables against the log, each bucket at its own checkpoint. Fails when an engine does not answer. */
export async function checkTables(options: CheckOptions): Promise<readonly CheckedTable[]> {
  const { client, projections, events, org, eventsMax = EVENTS_MAX } = options
  const checkpoints = await readCheckpoints(client, projections)
  const reached = new Map(checkpoints.map(c => [`${c.projection}/${c.bucket}`, c.position]))
  const to = greatest(reached.values())
  const skips = await events.skips(projections.map(({ name }) => name))
  const tables = new Map(projections.map(projection => [projection, new Comparison(projection)]))
  const buckets = org === undefined ? await passes(client, projections, eventsMax) : [[bucketOf(org)]]
  for (const some of buckets) {
    const folded = await foldBuckets(options, { reached, to, skips, buckets: new Set(some) })
    for (const [projection, comparison] of tables) {
      for (const [name, rows] of byOrg(folded, projection))
        if (org === undefined || org === name) comparison.expect(name, rows)
      await comparison.compare(client, some, org)
    }
  }
  return [...tables.values()].map(comparison => comparison.result())
}

type Pass = {
  readonly reached: ReadonlyMap<string, bigint>
  readonly to: bigint
  readonly skips: Skips
  readonly buckets: ReadonlySet<number>
}

async function foldBuckets(options: CheckOptions, { reached, to, skips, buckets }: Pass): Promise<FoldedRows> {
  const folded: FoldedRows = new Map()
  for await (const list of options.events.read({ after: 0n, to, max: 1_000 })) {
    for (const stored of list) {
      const bucket = bucketOf(typeof stored.metadata?.org === 'string' ? stored.metadata.org : '')
      if (!buckets.has(bucket)) continue
      const concerned = options.projections.filter(projection => {
        const limit = reached.get(`${projection.name}/${bucket}`) ?? 0n
        const ignores = handlerOf(projection, stored.type) === null
        return stored.position <= limit && !ignores && !skips.get(projection.name)?.has(stored.position)
      })
      if (concerned.length > 0) foldEvent(concerned, folded, options.decode(stored))
    }
    options.onProgress?.(list.length)
  }
  return folded
}

/** Groups of buckets, each small enough for the memory, by the number of events that the planner remembers. */
async function passes(client: PoolClient, projections: readonly AnyProjection[], max: number): Promise<number[][]> {
  const { rows } = await client.query<{ rows: number }>(
    'select coalesce(max(reltuples), 0)::float8 as rows from pg_class where relname = any($1)',
    [projections.map(tableOf)],
  )
  const count = Math.min(BUCKETS, Math.max(1, Math.ceil(rows[0]!.rows / max)))
  const groups = Array.from({ length: count }, (): number[] => [])
  for (let bucket = 0; bucket < BUCKETS; bucket += 1) groups[bucket % count]!.push(bucket)
  return groups
}

function byOrg(folded: FoldedRows, projection: AnyProjection): Map<string, Row[]> {
  const orgs = new Map<string, Row[]>()
  for (const row of sortedRows(folded, projection)) {
    const org = orgOf(row)
    const rows = orgs.get(org)
    if (rows) rows.push(row)
    else orgs.set(org, [row])
  }
  return orgs
}

const orgOf = (row: Row): string => (typeof row.org === 'string' ? row.org : '')

/** One table beside its fold, an org at a time. */
class Comparison {
  readonly #projection: AnyProjection
  readonly #expected = new Map<string, readonly Row[]>()
  readonly #digests = new Map<string, TableDigest>()
  readonly #differences: Difference[] = []

  constructor(projection: AnyProjection) {
    this.#projection = projection
  }

  expect(org: string, rows: readonly Row[]): void {
    this.#expected.set(org, rows)
  }

  /** Compares the stored rows of some buckets with what was expected of them, which is forgotten then. */
  async compare(client: PoolClient, buckets: readonly number[], only: string | undefined): Promise<void> {
    const digesters = new Map<string, TableDigester>()
    for await (const row of storedRows(client, this.#projection, only)) {
      const org = orgOf(row)
      if (!buckets.includes(bucketOf(org))) continue
      const digester = digesters.get(org) ?? new TableDigester()
      digesters.set(org, digester)
      digester.add(row)
    }
    for (const org of new Set([...digesters.keys(), ...this.#expected.keys()])) {
      const stored = digesters.get(org)?.end() ?? new TableDigester().end()
      const rows = this.#expected.get(org) ?? []
      this.#digests.set(org, stored)
      if (stored.sha256 !== tableDigest(rows).sha256) {
        this.#differences.push(await firstDifference(client, this.#projection, org, rows))
      }
    }
    this.#expected.clear()
  }

  result(): CheckedTable {
    const orgs = [...this.#digests].sort(([a], [b]) => (a < b ? -1 : 1))
    const all = new TableDigester()
    for (const [, { sha256 }] of orgs) all.addDigest(Buffer.from(sha256, 'hex'))
    return {
      table: tableOf(this.#projection),
      orgs: orgs.length,
      rows: orgs.reduce((sum, [, { rows }]) => sum + rows, 0),
      sha256: all.end().sha256,
      differences: this.#differences,
    }
  }
}

async function firstDifference(
  client: PoolClient,
  projection: AnyProjection,
  org: string,
  expected: readonly Row[],
): Promise<Difference> {
  const order = byKey(projection)
  const describe = (stored: Row | undefined, folded: Row | undefined): Difference => {
    const one = (stored ?? folded)!
    const key = Object.fromEntries((projection.key as readonly string[]).map(name => [name, String(one[name])]))
    return { table: tableOf(projection), org, key, stored, folded }
  }
  let at = 0
  for await (const row of storedRows(client, projection, projection.key[0] === 'org' ? org : undefined)) {
    const folded = expected[at]
    if (!folded || order(row, folded) < 0) return describe(row, undefined)
    if (order(row, folded) > 0) return describe(undefined, folded)
    if (canonicalJson(row) !== canonicalJson(folded)) return describe(row, folded)
    at += 1
  }
  return describe(undefined, expected[at])
}
