/** The Merkle maps of rows in PostgreSQL: which are behind, what changed since, their pages and statements. */

import { canonicalJson } from '../../domain/kernel/json.ts'
import {
  type LoadPages,
  type MapChange,
  pageBytes,
  pageFrom,
  placeOf,
  rowDigest,
  type Updated,
} from '../../projections/notary/row-map.ts'
import { CHECKPOINTS } from '../../projections/ownership/tables.ts'
import type { AnyProjection } from '../../projections/rows/projection.ts'
import { keyOfRow } from '../../projections/rows/proved.ts'
import { historyTableOf, quoted, quotedList, tableOf } from '../../projections/rows/tables.ts'
import { wireTypes } from '../../read-api/consistency.ts'
import { columnsOf, wireRow } from '../../read-api/rows.ts'
import type { Connection, Pool } from '../postgres.ts'

// Namespace of our advisory locks; the value itself has no meaning.
const MAPS = 1_263_486_830
const ROWS_AT_ONCE = 2_000
const HASHES_PER_TILE = 256
const POSITION_BYTES = 8

/** The head of an org's log as the notary signed it, and the position of its last event. */
export type OrgHead = { readonly org: string; readonly note: string; readonly size: number; readonly position: bigint }

/** A map as it is stored. `source` names the table that it was made of: a rebuild puts another one in its place. */
export type StoredMap = {
  readonly id: number
  readonly org: string
  readonly source: bigint
  readonly position: bigint
  readonly size: number
  readonly rows: number
  readonly root: Buffer | null
  readonly checkpoint: string | null
}

/** The table with every version of the rows, and the column of the position that each is of. */
const sourceOf = (projection: AnyProjection) =>
  projection.history
    ? { table: historyTableOf(projection), position: '_position', removed: 'h._removed' }
    : { table: tableOf(projection), position: 'position', removed: 'false' }

const indexOf = (projection: AnyProjection): string => `${sourceOf(projection).table}_proved`

/** The identity of the table that maps are made of; `undefined` while it is not there yet. */
export async function sourceIdOf(pool: Pool | Connection, projection: AnyProjection): Promise<bigint | undefined> {
  const { rows } = await pool.query('select to_regclass($1)::oid::bigint as id', [quoted(sourceOf(projection).table)])
  return rows[0]?.id === null ? undefined : BigInt(rows[0].id)
}

/** Makes the index that finds what changed since a position, beside projectors that go on writing. */
export async function makeIndex(pool: Pool, projection: AnyProjection): Promise<void> {
  const [{ table, position }, name] = [sourceOf(projection), indexOf(projection)]
  const broken = await pool.query('select from pg_index where indexrelid = to_regclass($1) and not indisvalid', [
    quoted(name),
  ])
  if (broken.rowCount) await pool.query(`drop index ${quoted(name)}`)
  const columns = `org, ${quoted(position)}`
  await pool.query(`create index concurrently if not exists ${quoted(name)} on ${quoted(table)} (${columns})`)
}

/** Removes the maps of models that are not proved any more, with their indexes. */
export async function dropOthers(pool: Pool, kept: readonly AnyProjection[]): Promise<void> {
  const names = kept.map(tableOf)
  await pool.query(`delete from row_maps where model || '_v' || version <> all($1::text[])`, [names])
  const { rows } = await pool.query(
    `select indexname as name from pg_indexes
     where schemaname = current_schema() and indexname like '%\\_proved' and indexname <> all($1::text[])`,
    [kept.map(indexOf)],
  )
  for (const { name } of rows) await pool.query(`drop index if exists ${quoted(name)}`)
}

/** The orgs whose map is not of their last signed checkpoint. */
export async function orgsBehind(pool: Pool, { name, version }: AnyProjection, source: bigint): Promise<string[]> {
  const { rows } = await pool.query(
    `select h.tree from notary_heads h left join row_maps m on m.model = $1 and m.version = $2 and m.org = h.tree
     where h.tree <> '' and (m.checkpoint is distinct from h.note or m.source is distinct from $3::bigint)`,
    [name, version, source],
  )
  return rows.map(({ tree }) => tree)
}

/** Holds the maps of a model still until the transaction ends. */
export const lockMaps = (client: Connection, projection: AnyProjection) =>
  client.query(`select pg_advisory_xact_lock(${MAPS}, hashtext($1))`, [tableOf(projection)])

/** The last signed heads of orgs, in the order of these; none of an org whose tiles are not written yet. */
export async function headsOf(client: Connection, orgs: readonly string[]): Promise<readonly OrgHead[]> {
  const { rows } = await client.query(
    `select h.tree as org, h.note, h.size, substring(t.positions
       from ((h.size - 1) % ${HASHES_PER_TILE})::int * ${POSITION_BYTES} + 1 for ${POSITION_BYTES}) as position
     from unnest($1::text[]) with ordinality o(org, n) join notary_heads h on h.tree = o.org join notary_tiles t
       on t.tree = h.tree and t.level = 0 and t.index = (h.size - 1) / ${HASHES_PER_TILE}
     order by o.n`,
    [orgs],
  )
  return rows
    .filter(({ position }) => position?.length === POSITION_BYTES)
    .map(({ org, note, size, position }) => ({ org, note, size: Number(size), position: position.readBigUInt64BE() }))
}

/** How far a projection has come, by bucket. */
export async function reachedBy(client: Connection, { name, version }: AnyProjection) {
  const { rows } = await client.query(
    `select bucket, position from ${CHECKPOINTS} where projection = $1 and version = $2`,
    [name, version],
  )
  return new Map<number, bigint>(rows.map(({ bucket, position }) => [Number(bucket), BigInt(position)]))
}

/** The maps of orgs, made where they are absent. */
export async function mapsOf(
  client: Connection,
  { name, version }: AnyProjection,
  orgs: readonly string[],
  source: bigint,
): Promise<readonly StoredMap[]> {
  await client.query(
    `insert into row_maps (model, version, org, source)
     select $1, $2, org, $4 from unnest($3::text[]) org on conflict do nothing`,
    [name, version, orgs, source],
  )
  const { rows } = await client.query(
    `select id, org, source, position, size, rows, root, checkpoint from row_maps
     where model = $1 and version = $2 and org = any($3::text[])`,
    [name, version, orgs],
  )
  return rows.map(({ id, org, source: from, position, size, rows: count, root, checkpoint }) => ({
    id: Number(id),
    org,
    source: BigInt(from),
    position: BigInt(position),
    size: Number(size),
    rows: Number(count),
    root,
    checkpoint,
  }))
}

/** Which versions of an org's rows are asked for: those after one position, up to another. */
export type Span = { readonly org: string; readonly after: bigint; readonly upTo: bigint }

/**
 * The first of some spans, of which about so many versions are asked for: the last one may end before its end. It gets
 * what the others leave, so that one with many versions comes on beside others.
 */
export async function spansWithin(
  client: Connection,
  projection: AnyProjection,
  spans: readonly Span[],
  rowsMax: number,
): Promise<readonly Span[]> {
  const found = await versionsIn(client, projection, spans, rowsMax)
  let room = rowsMax
  for (const [n, span] of spans.entries()) {
    const { count } = found[n]!
    if (count >= room) {
      const [{ last }] = await versionsIn(client, projection, [span], room)
      return [...spans.slice(0, n), { ...span, upTo: BigInt(last) }]
    }
    room -= count
  }
  return spans
}

/** How many versions there are in each span, counted up to a limit, and the position of the last one counted. */
async function versionsIn(client: Connection, projection: AnyProjection, spans: readonly Span[], limit: number) {
  const { table, position } = sourceOf(projection)
  const at = `h.${quoted(position)}`
  const { rows } = await client.query(
    `select c.count, c.last from unnest($1::text[], $2::bigint[], $3::bigint[]) with ordinality s(org, after, up_to, n)
     cross join lateral (select count(*)::int as count, max(x.position) as last from (
       select ${at} as position from ${quoted(table)} h where h.org = s.org and ${at} > s.after and ${at} <= s.up_to
       order by ${at} limit ${limit}) x) c order by s.n`,
    valuesOf(spans),
  )
  return rows
}

const valuesOf = (spans: readonly Span[]) => [
  spans.map(({ org }) => org),
  spans.map(({ after }) => String(after)),
  spans.map(({ upTo }) => String(upTo)),
]

/** How rows changed in some spans of the log, by org: each row as it stood at the end. */
export async function changesIn(client: Connection, projection: AnyProjection, spans: readonly Span[]) {
  const { table, position, removed } = sourceOf(projection)
  const columns = columnsOf(projection)
  const found = new Map<string, MapChange[]>(spans.map(({ org }) => [org, []]))
  const key = (projection.key as readonly string[]).map(name => `h.${quoted(name)}`).join(', ')
  await client.query(
    `declare changed_rows no scroll cursor for
     select distinct on (${key}) ${removed} as _gone, ${columns.map(name => `h.${quoted(name)}`).join(', ')}
     from unnest($1::text[], $2::bigint[], $3::bigint[]) s(org, after, up_to) join ${quoted(table)} h
       on h.org = s.org and h.${quoted(position)} > s.after and h.${quoted(position)} <= s.up_to
     order by ${key}, h.${quoted(position)} desc`,
    valuesOf(spans),
  )
  const text = `fetch ${ROWS_AT_ONCE} from changed_rows`
  for (let isMore = true; isMore; ) {
    const { rows } = await client.query({ text, rowMode: 'array', types: wireTypes })
    for (const values of rows as unknown[][]) {
      const row = wireRow(columns, values, 1)
      const place = placeOf(keyOfRow(projection, row))
      const digest = values[0] === true ? undefined : rowDigest(canonicalJson(row))
      found.get(row.org as string)!.push({ place, digest })
    }
    isMore = rows.length === ROWS_AT_ONCE
  }
  await client.query('close changed_rows')
  return found
}

/** Reads pages of maps. */
export const pagesFrom =
  (client: Connection): LoadPages =>
  async ids => {
    const found = new Array<ReturnType<typeof pageFrom> | undefined>(ids.length)
    const { rows } = await client.query(
      `select i.n, p.page from unnest($1::int[], $2::text[]) with ordinality i(map, prefix, n)
       join row_map_pages p on p.map = i.map and p.prefix = i.prefix`,
      [ids.map(({ map }) => map), ids.map(({ prefix }) => prefix)],
    )
    for (const { n, page } of rows) found[Number(n) - 1] = pageFrom(page)
    return found
  }

export const dropPages = (client: Connection, maps: readonly number[]) =>
  client.query('delete from row_map_pages where map = any($1::int[])', [maps])

export async function writePages(client: Connection, updated: readonly Updated[]): Promise<void> {
  const all = updated.flatMap(({ map, pages }) => [...pages].map(([prefix, page]) => ({ map, prefix, page })))
  for (let at = 0; at < all.length; at += ROWS_AT_ONCE) {
    const some = all.slice(at, at + ROWS_AT_ONCE)
    const [kept, gone] = [some.filter(({ page }) => page), some.filter(({ page }) => !page)]
    await client.query(
      `insert into row_map_pages (map, prefix, page) select * from unnest($1::int[], $2::text[], $3::bytea[])
       on conflict (map, prefix) do update set page = excluded.page`,
      [kept.map(({ map }) => map), kept.map(({ prefix }) => prefix), kept.map(({ page }) => pageBytes(page!))],
    )
    if (gone.length === 0) continue
    await client.query(
      `delete from row_map_pages p using unnest($1::int[], $2::text[]) g(map, prefix)
       where p.map = g.map and p.prefix = g.prefix`,
      [gone.map(({ map }) => map), gone.map(({ prefix }) => prefix)],
    )
  }
}

/** A map after its changes, with what was signed of it: nothing while it is on its way to the end of the log. */
export type SignedMap = Omit<StoredMap, 'org' | 'checkpoint'> & {
  readonly statement: string | null
  readonly checkpoint: string
}

export const writeMaps = (client: Connection, maps: readonly SignedMap[]) =>
  client.query(
    `update row_maps m set source = u.source, position = u.position, size = u.size, rows = u.rows, root = u.root,
       statement = u.statement, checkpoint = u.checkpoint
     from unnest($1::int[], $2::bigint[], $3::bigint[], $4::bigint[], $5::bigint[], $6::bytea[], $7::text[], $8::text[])
       u(${quotedList(['id', 'source', 'position', 'size', 'rows', 'root', 'statement', 'checkpoint'])})
     where m.id = u.id`,
    [
      maps.map(({ id }) => id),
      maps.map(({ source }) => String(source)),
      maps.map(({ position }) => String(position)),
      maps.map(({ size }) => size),
      maps.map(({ rows }) => rows),
      maps.map(({ root }) => root),
      maps.map(({ statement }) => statement),
      maps.map(({ checkpoint }) => checkpoint),
    ],
  )
