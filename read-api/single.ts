/** A thing by its key: one prepared statement, one round trip. */
import type { Parameter, Route } from '../domain/kernel/route.ts'
import { auditLog } from '../projections/audit/audit-log.ts'
import { type Fixed, hasHistory, rowAsOf } from '../projections/rows/as-of.ts'
import { isProvable } from '../projections/rows/proved.ts'
import { tableOf } from '../projections/rows/tables.ts'
import { wantedOf } from './as-of.ts'
import { ProvedAbsence, proofParameter, rowProver } from './audit/row-proof.ts'
import { computedFrom, computedNames, computedSql, dayOf, hiding, isDaily } from './computed.ts'
import { checkpointsSql, read, withAuditLogSql } from './consistency.ts'
import { fromPath, queriesOf } from './parameters.ts'
import { granteesOf } from './readers.ts'
import type { Resource, ResourceDeps } from './resource.ts'
import { isPlace, revisionSql, taggedAt, thingOf } from './revision.ts'
import { columnsOf, opened, sealedColumnsOf, wireRow } from './rows.ts'
import { momentParameters, notFound, parentOf, readOf, selected } from './scope.ts'

/** Columns of the answer before those of the row: position, stalled, revision of the thing. */
const ROW_AT = 3

/** Answers a single row, with the revision of its thing as `ETag`. */
export function singleHandler(resource: Resource, deps: ResourceDeps): Route['handle'] {
  const { one, ids, path, projection, parents, names: named } = resource
  const parameters = singleParameters(resource)
  const params = [...Object.entries(parents), ...named.map(name => [name, name] as const)]
  const columns = columnsOf(projection)
  const names = [...columns, ...computedNames(projection)]
  const personal = sealedColumnsOf(projection)
  const orgAt = ROW_AT + columns.indexOf('org')
  const fixed: Fixed = [['org', '$2'], ...params.map(([, column], at) => [column!, `$${at + 3}`] as const)]
  const on = fixed.map(([column, value]) => `t."${column}" = ${value}`).join(' and ')
  const prove = isProvable(resource.projection, resource) ? rowProver(resource, deps, fixed) : undefined
  const own = (then: string | undefined) => parentOf(resource, fixed, then).isOfNow?.('t') ?? 'true'
  const hide = hiding(projection, deps.allows)
  const thing = thingOf(projection)
  const isLookedUp = thing !== undefined && !thing.isWhole
  const stored = columns.includes('revision') ? 't."revision"' : 'null::bigint'
  const revision = (position: string) =>
    isLookedUp ? `greatest(${stored}, ${revisionSql(thing, `t."${thing.column}"`, position)})` : stored
  const name = `get${ids.one}${path}_v${projection.version}`
  const daily = isDaily(projection)
  const [dayAt, asOfAt] = [`$${params.length + 3}`, `$${params.length + (daily ? 4 : 3)}`]
  const statementOf = (from: string, then: string | undefined) => {
    const of = [...(resource.since === undefined ? [projection] : readOf(resource)), ...computedFrom(projection)]
    const isWithLog = isLookedUp || (daily && then !== undefined)
    const computed = computedSql(projection, 't', dayAt, then)
    const position = then === undefined ? 'c.position' : `${then}::bigint`
    const text = `select c.position, c.stalled, ${revision(position)}, ${selected('t', columns)}${computed}
      from ${isWithLog ? withAuditLogSql(of) : checkpointsSql(of)} left join ${from}`
    return {
      name: then === undefined ? name : `${name} as of`,
      of: isWithLog ? [...of, auditLog] : of,
      text,
      isAboutRevisions: true,
    }
  }
  const now = statementOf(`${tableOf(projection)} t on ${on} and ${own(undefined)}`, undefined)
  const then =
    hasHistory(projection) && statementOf(`${rowAsOf(projection, fixed, asOfAt)} t on ${own(asOfAt)}`, asOfAt)
  return async request => {
    const { org } = request.principal
    const key = params.map(([param, column]) => fromPath(request, param, projection.row.shape[column!]))
    const query = queriesOf(request, parameters)
    const asked = await wantedOf(deps, request, query)
    const proved = query.proof && prove ? await prove({ request, query, key, wanted: asked }) : undefined
    const wanted = proved ? { ...asked, asOf: proved.asOf } : asked
    const { asOf } = wanted
    const values: unknown[] = [org, ...key, ...(daily ? [dayOf(asOf)] : [])]
    const statement = asOf && then ? { ...then, values: [...values, asOf.position] } : { ...now, values }
    const { rows, position } = await read(deps, request, statement, wanted)
    if (rows[0]![orgAt] === null) {
      const nothing = notFound(one, key, asOf)
      // Who may not read all rows has no proof that one is absent: without it, they would know of the others.
      const isTold = projection.readers === undefined || granteesOf(request.principal) === undefined
      throw proved?.proof.row === null && isTold ? new ProvedAbsence(nothing, proved) : nothing
    }
    const data = wireRow(names, rows[0]!, ROW_AT)
    hide([data], request.principal)
    if (personal.length > 0) await opened([data], personal, org, deps.unseal)
    const [, , current] = rows[0]!
    if (isLookedUp && !isPlace(projection)) data.revision = current as string
    const { meta, headers } = taggedAt(current, position, asOf)
    return { data, meta: { ...meta, ...(proved && { proof: proved.proof }) }, headers }
  }
}

/** The parameters of a single row beside those of its path. */
export const singleParameters = (resource: Resource): readonly Parameter[] =>
  isProvable(resource.projection, resource)
    ? [...momentParameters(resource), proofParameter]
    : momentParameters(resource)
