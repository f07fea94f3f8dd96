import { setTimeout as sleep } from 'node:timers/promises'
import type { Pool, PoolClient } from 'pg'
import { bucketOf } from '../../projections/rows/bucket.ts'
import { type TableDigest, TableDigester, tableDigest } from '../../projections/rows/digest.ts'
import { fold, foldedDigests, type Skips } from '../../projections/rows/fold.ts'
import type { AnyProjection } from '../../projections/rows/projection.ts'
import { columnsOf, fromDatabase, quotedList, tableOf } from '../../projections/rows/tables.ts'
import { AuditFault, type Manifest, skipsOf } from './bundle.ts'
import type { BundleSource } from './source.ts'
import { type CheckOptions, readManifest, verifiedEvents } from './verify.ts'

/** The projection that holds a row for every event of an org: it tells whether the org moved on since an export. */
const AUDIT_LOG = 'audit_log'
const ROWS_PER_FETCH = 5_000
const LIVE_WAIT_MS = 10_000
const LIVE_POLL_MS = 100

export type ReplayOptions = CheckOptions & {
  readonly source: BundleSource
  /** The live read models and the skips of the live log; without them the export is only checked and folded. */
  readonly live?: { readonly pool: Pick<Pool, 'connect'>; readonly skips: Skips; readonly waitMs?: number }
}

export type Replayed = {
  readonly manifest: Manifest
  readonly tables: readonly {
    readonly projection: string
    readonly replayed: TableDigest
    /** Absent where nothing was compared. */
    readonly live?: TableDigest
  }[]
}

/**
 * Checks an export and folds it, and it alone, into fresh rows, past the events that it says to skip. With `live` their
 * digests are compared with the read models' at the same state of the org. The answer
 * names the tables that differ; every other fault is thrown.
 */
export async function replay(options: ReplayOptions): Promise<Replayed> {
  const { source, projections, live } = options
  const manifest = await readManifest(source, options)
  if (manifest.selection !== undefined) {
    throw new AuditFault(
      'selection_not_whole',
      'Rows follow from all events: export the organization without a selection.',
    )
  }
  const skips = skipsOf(manifest)
  const others: string[] = []
  const noted = async function* () {
    for await (const { position, decoded } of verifiedEvents(source, manifest, options)) {
      if (live) others.push(...skippedElse(projections, position, [skips, live.skips]))
      if (decoded) yield decoded
    }
  }
  const rows = await fold(projections, noted(), skips)
  if (others.length > 0) {
    const which = others.join(', ')
    throw new AuditFault('live_skips_differ', `The log skips other events than the export, export it again: ${which}.`)
  }
  const found = live && (await liveDigests(live, projections, manifest))
  const tables = projections.map(projection => {
    const replayed = foldedDigests(rows, projection).get(manifest.org) ?? tableDigest([])
    const digest = found?.get(projection.name)
    return { projection: projection.name, replayed, ...(digest && { live: digest }) }
  })
  return { manifest, tables }
}

/** The projections for which only one of two sources skips the event at a position. */
const skippedElse = (projections: readonly AnyProjection[], position: bigint, [one, other]: readonly [Skips, Skips]) =>
  projections
    .filter(({ name }) => Boolean(one.get(name)?.has(position)) !== Boolean(other.get(name)?.has(position)))
    .map(({ name }) => `${name} at ${position}`)

/** The tables whose live rows are not those that the export gives. */
export const differing = ({ tables }: Replayed): readonly string[] =>
  tables.filter(({ replayed, live }) => live && live.sha256 !== replayed.sha256).map(({ projection }) => projection)

type Live = NonNullable<ReplayOptions['live']>

/** The digests of the org's live rows, once they hold exactly the export's events. */
async function liveDigests(
  { pool, waitMs = LIVE_WAIT_MS }: Live,
  projections: readonly AnyProjection[],
  manifest: Manifest,
): Promise<Map<string, TableDigest>> {
  const deadline = performance.now() + waitMs
  for (;;) {
    const client = await pool.connect()
    try {
      await client.query('begin isolation level repeatable read read only')
      const behind = await standing(client, projections, manifest)
      if (behind === undefined) return await digestAll(client, projections, manifest.org)
      if (performance.now() > deadline) throw new AuditFault('live_behind', behind)
    } finally {
      await client.query('rollback').catch(() => {})
      client.release()
    }
    await sleep(LIVE_POLL_MS)
  }
}

/** Why the read models cannot be compared yet, if they cannot; throws where they never will with this export. */
async function standing(client: PoolClient, projections: readonly AnyProjection[], { org, range }: Manifest) {
  const { rows } = await client.query({
    text: `select c.projection, c.position::text from checkpoints c
      join unnest($2::text[], $3::int[]) p(name, version) on p.name = c.projection and p.version = c.version
      where c.bucket = $1`,
    values: [bucketOf(org), projections.map(({ name }) => name), projections.map(({ version }) => version)],
  })
  const positions = new Map(rows.map(row => [row.projection as string, BigInt(row.position as string)]))
  const auditLog = projections.find(({ name }) => name === AUDIT_LOG)!
  const latest = await client.query(`select max(position)::text as last from ${tableOf(auditLog)} where org = $1`, [
    org,
  ])
  const last = BigInt((latest.rows[0] as { last: string | null }).last ?? '0')
  if (last > range.last) {
    throw new AuditFault('live_ahead', `The org has events after ${range.last}, up to ${last}: export it again.`)
  }
  const logged = positions.get(AUDIT_LOG) ?? 0n
  for (const { name } of projections) {
    const position = positions.get(name) ?? 0n
    if (position < range.last) return `The read model ${name} has come to position ${position}, not ${range.last} yet.`
    if (position > logged) return `The read model ${AUDIT_LOG} lags behind ${name}.`
  }
  return undefined
}

async function digestAll(client: PoolClient, projections: readonly AnyProjection[], org: string) {
  const digests = new Map<string, TableDigest>()
  for (const projection of projections) {
    const columns = quotedList(columnsOf(projection).map(({ name }) => name))
    const digester = new TableDigester()
    await client.query(
      `declare live_rows no scroll cursor for select ${columns} from ${tableOf(projection)}
        where org = $1 order by ${quotedList(projection.key)}`,
      [org],
    )
    for (;;) {
      const { rows } = await client.query(`fetch ${ROWS_PER_FETCH} from live_rows`)
      for (const row of rows) digester.add(fromDatabase(projection, row))
      if (rows.length < ROWS_PER_FETCH) break
    }
    await client.query('close live_rows')
    digests.set(projection.name, digester.end())
  }
  return digests
}
