/** What each event of the audit log changed of its thing, from what to what: by the versions of the thing's row. */
import { z } from 'zod'
import { KogiError } from '../../domain/kernel/errors.ts'
import type { ApiRequest } from '../../domain/kernel/route.ts'
import { type AnyProjection, handlerOf } from '../../projections/rows/projection.ts'
import { historyTableOf, quoted } from '../../projections/rows/tables.ts'
import { checkpointsSql, read, type Snapshot } from '../consistency.ts'
import type { Resource, ResourceDeps } from '../resource.ts'
import { columnsOf, type WireRow, wireRow } from '../rows.ts'
import { selected } from '../scope.ts'

const value = z.unknown().meta({ description: 'null where there is none' })

/** Fields that changed, from what to what. */
export const changesSchema = z.record(z.string(), z.object({ from: value, to: value }))

/** The field of an answer that says what an event changed. */
export const changesField = {
  changes: changesSchema.optional().meta({
    description:
      'what changed of the thing, by field; empty where the event adds something to it, as an entry does: see ' +
      '`data`. Left out while the read model of the thing has not come as far',
  }),
}

/** Columns that change with every event or never. */
const UNSAID = new Set(['org', 'id', 'revision', 'updated_at'])

type Fields = Readonly<Record<string, unknown>> | null

/** The fields that differ between two states of a thing; `null` where it was not there. */
export const changedFields = (
  before: Fields,
  after: Fields,
): Readonly<Record<string, { from: unknown; to: unknown }>> =>
  Object.fromEntries(
    [...new Set([...Object.keys(before ?? {}), ...Object.keys(after ?? {})])].flatMap(field => {
      const [from, to] = [before?.[field] ?? null, after?.[field] ?? null]
      return UNSAID.has(field) || JSON.stringify(from) === JSON.stringify(to) ? [] : [[field, { from, to }]]
    }),
  )

/** The read model of the things of a category, with every version of each: its rows have the org and the id as key. */
export const modelOf = (resources: readonly Resource[], category: string): AnyProjection | undefined =>
  resources
    .map(({ projection }) => projection)
    .find(({ of, key, history }) => history && Object.keys(of).join() === category && key.join() === 'org,id')

/** Adds `changes` to rows of the audit log, by one statement for each category among them. */
export async function addChanges(deps: ResourceDeps, request: ApiRequest, rows: readonly WireRow[]): Promise<void> {
  for (const category of new Set(rows.map(row => String(row.category)))) {
    const model = modelOf(deps.resources, category)
    if (!model) continue
    const own = rows.filter(row => row.category === category)
    for (const row of own) if (handlerOf(model, String(row.type)) === null) row.changes = {}
    const changing = own.filter(row => row.changes === undefined)
    if (changing.length > 0) await compare(deps, request, model, changing)
  }
}

async function compare(
  deps: ResourceDeps,
  request: ApiRequest,
  model: AnyProjection,
  rows: readonly WireRow[],
): Promise<void> {
  const columns = columnsOf(model)
  const versions = quoted(historyTableOf(model))
  const text = `select c.position, c.stalled, e.position, v._removed, b._removed, ${selected('v', columns)},
      ${selected('b', columns)}
    from ${checkpointsSql([model])}
    left join (unnest($3::text[], $4::bigint[]) e(id, position)
      join ${versions} v on v.org = $2 and v.id = e.id and v._position = e.position
      left join lateral (select * from ${versions} b where b.org = $2 and b.id = e.id and b._position < e.position
        order by b._position desc limit 1) b on true) on true`
  const values = [request.principal.org, rows.map(({ id }) => id), rows.map(({ position }) => position)]
  const { rows: found } = await read(deps, request, { of: [model], text, values }, ANY_POSITION).catch(notBuilt)
  const byPosition = new Map(rows.map(row => [String(row.position), row]))
  for (const [, , position, isGone, wasGone, ...cells] of found) {
    if (position === null) continue // None of the events is projected yet.
    const [after, before] = [isGone ? [] : cells.slice(0, columns.length), wasGone ? [] : cells.slice(columns.length)]
    byPosition.get(String(position))!.changes = changedFields(
      wireRow(columns, before, 0),
      wireRow(columns, after, 0),
    ) as WireRow
  }
}

/** Versions never change: a stalled read model has them up to its position. */
const ANY_POSITION = { asOf: { asked: '0', position: 0n } }

/** A version of the read model that is still being built has nothing to compare yet. */
function notBuilt(error: unknown): Pick<Snapshot, 'rows'> {
  if (error instanceof KogiError && NOT_BUILT.has(error.code)) return { rows: [] }
  throw error
}

const NOT_BUILT = new Set(['read_model_building', 'not_yet_visible'])
