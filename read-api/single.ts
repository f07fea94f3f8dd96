/** A thing by its key: one prepared statement, one round trip. */
import type { Route } from '../domain/kernel/route.ts'
import { type Fixed, hasHistory, rowAsOf } from '../projections/rows/as-of.ts'
import { tableOf } from '../projections/rows/tables.ts'
import { wantedOf } from './as-of.ts'
import { checkpointsSql, positioned, read } from './consistency.ts'
import { fromPath, queriesOf } from './parameters.ts'
import type { Resource, ResourceDeps } from './resource.ts'
import { columnsOf, opened, sealedColumnsOf, wireRow } from './rows.ts'
import { momentParameters, notFound, selected } from './scope.ts'

/** Answers a single row, with its revision as `ETag` where it has one. */
export function singleHandler(resource: Resource, deps: ResourceDeps): Route['handle'] {
  const { one, ids, path, projection, parents, names } = resource
  const parameters = momentParameters(resource)
  const params = [...Object.entries(parents), ...names.map(name => [name, name] as const)]
  const columns = columnsOf(projection)
  const personal = sealedColumnsOf(projection)
  const orgAt = 2 + columns.indexOf('org')
  const fixed: Fixed = [['org', '$2'], ...params.map(([, column], at) => [column!, `$${at + 3}`] as const)]
  const on = fixed.map(([column, value]) => `t."${column}" = ${value}`).join(' and ')
  const from = `select c.position, c.stalled, ${selected('t', columns)} from ${checkpointsSql([projection])}`
  const name = `get${ids.one}${path}_v${projection.version}`
  const of = [projection]
  const now = { name, of, text: `${from} left join ${tableOf(projection)} t on ${on}` }
  const then = hasHistory(projection) && {
    name: `${name} as of`,
    of,
    text: `${from} left join ${rowAsOf(projection, fixed, `$${params.length + 3}`)} t on true`,
  }
  return async request => {
    const { org } = request.principal
    const key = params.map(([param, column]) => fromPath(request, param, projection.row.shape[column!]))
    const values: unknown[] = [org, ...key]
    const wanted = await wantedOf(deps, request, queriesOf(request, parameters))
    const { asOf } = wanted
    const statement = asOf && then ? { ...then, values: [...values, asOf.position] } : { ...now, values }
    const { rows, position } = await read(deps, request, statement, wanted)
    if (rows[0]![orgAt] === null) throw notFound(one, key, asOf)
    const data = wireRow(columns, rows[0]!, 2)
    if (personal.length > 0) await opened([data], personal, org, deps.unseal)
    const answer = positioned(position, asOf)
    if (data.revision === undefined) return { data, ...answer }
    return { data, meta: answer.meta, headers: { ...answer.headers, ETag: `"${data.revision}"` } }
  }
}
