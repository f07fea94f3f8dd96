/** A page of a list: filtered, ordered, from a cursor or an offset on, counted on request, all in one statement. */
import { z } from 'zod'
import type { Parameter, Route } from '../domain/kernel/route.ts'
import { auditLog } from '../projections/audit/audit-log.ts'
import { pageAsOf } from '../projections/rows/as-of.ts'
import { wantedOf } from './as-of.ts'
import { addChanges } from './audit/changes.ts'
import { computedFrom, computedNames, computedSql, dayOf, hiding, isDaily } from './computed.ts'
import { checkpointsSql, read, type Statement, withAuditLogSql } from './consistency.ts'
import { cursorOf, placeOf } from './cursor.ts'
import type { Condition, Filters } from './filters.ts'
import {
  inQuery,
  invalidParameter,
  LIMIT_DEFAULT,
  OFFSET_MAX,
  pageParameters,
  type Queries,
  queriesOf,
  whole,
} from './parameters.ts'
import type { Resource, ResourceDeps } from './resource.ts'
import { isPlace, revisionSql, taggedAt, thingOf } from './revision.ts'
import { columnsOf, opened, sealedColumnsOf, wireRow } from './rows.ts'
import { type Asked, all, momentParameters, nothingToListOf, type Scope, scopeOf, selected } from './scope.ts'
import { behind, orderBy, type Sorting, sortingOf, sortParameter } from './sorting.ts'

const countParameters: readonly Parameter[] = [
  ...pageParameters,
  inQuery('offset', whole(0, OFFSET_MAX, 0), 'rows to skip; rows that move meanwhile are lost or doubled: see `after`'),
  inQuery('total', z.enum(['true', 'false']), 'also count the rows, which costs a query of its own'),
]

/** The parameters of a list, those of its path excepted. */
export const listParameters = (resource: Resource, filters: Filters): readonly Parameter[] => [
  ...filters.map(({ parameter }) => parameter),
  sortParameter(resource),
  ...countParameters,
  ...momentParameters(resource),
]

/** Columns of the answer before those of the row: position, stalled, total, exists, revision of the thing. */
const ROW_AT = 5

/** Answers a list. */
export function listHandler(resource: Resource, filters: Filters, deps: ResourceDeps): Route['handle'] {
  const { ids, projection } = resource
  const parameters = listParameters(resource, filters)
  const columns = columnsOf(projection)
  const personal = sealedColumnsOf(projection)
  const names = [...columns, ...computedNames(projection)]
  const orgAt = ROW_AT + columns.indexOf('org')
  const hide = hiding(projection, deps.allows)
  return async request => {
    const query = queriesOf(request, parameters)
    if (query.after !== undefined && Number(query.offset ?? 0) > 0) {
      throw invalidParameter('offset', 'cannot go together with after')
    }
    const limit = Number(query.limit ?? LIMIT_DEFAULT)
    const sorting = sortingOf(resource, query.sort)
    const wanted = await wantedOf(deps, request, query)
    const asked: Asked = { request, query, asOf: wanted.asOf }
    const statement = listStatement(resource, sorting, scopeOf(resource, filters, asked), asked)
    const { rows, position } = await read(deps, request, statement, wanted)
    const [, , total, exists, revision] = rows[0]!
    if (exists === false) throw nothingToListOf(resource, asked)
    const found = rows[0]![orgAt] === null ? [] : rows.slice(0, limit)
    const last = rows.length > limit ? found.at(-1) : undefined
    const place = last && sorting.columns.map(column => last[ROW_AT + columns.indexOf(column)])
    const next = place && cursorOf(nameOf(ids.many, sorting), place, wanted.asOf)
    const data = found.map(values => wireRow(names, values, ROW_AT))
    hide(data, request.principal)
    if (resource.isOfEvents) await addChanges(deps, request, data)
    return {
      data: await opened(data, personal, request.principal.org, deps.unseal),
      pagination: {
        limit,
        has_more: next !== undefined,
        ...(next !== undefined && { next }),
        ...(query.offset !== undefined && { offset: Number(query.offset) }),
        ...(total !== null && { total: Number(total) }),
      },
      ...taggedAt(revision, position, wanted.asOf),
    }
  }
}

/** The name of a list in cursors: a cursor of one order is refused by the others. */
const nameOf = (list: string, { name }: Sorting) => (name === '' ? list : `${list} ${name}`)

function listStatement(resource: Resource, sorting: Sorting, scope: Scope, { query, asOf }: Asked): Statement {
  const { ids, projection } = resource
  const { values, put, conditions, exists, of, table } = scope
  const columns = columnsOf(projection)
  const schemas: readonly z.ZodType[] = sorting.columns.map(column => projection.row.shape[column])
  const place = query.after === undefined ? undefined : placeOf(query.after, nameOf(ids.many, sorting), schemas, asOf)
  const beyond = place ? behind(sorting, place, put) : []
  const [limit, offset] = [put(Number(query.limit ?? LIMIT_DEFAULT) + 1), put(Number(query.offset ?? 0))]
  const source = sourceOf(resource, sorting, scope, { place, query })
  const page = (more: readonly Condition[]) =>
    `select ${selected('t', columns)} from ${source} t where ${all([...conditions, ...more], 't')}
      order by ${orderBy(sorting, 't')} limit ${limit} offset ${offset}`
  const total = query.total === 'true' ? `(select count(*) from ${table} t where ${all(conditions, 't')})` : 'null'
  const day = isDaily(projection) ? put(dayOf(asOf)) : 'null'
  const { shared, each } = revisionsOf(resource, scope)
  const models = [...of, ...computedFrom(projection)]
  const isWithLog = shared || each || (scope.then !== undefined && isDaily(projection))
  const stored = columns.map(name => (name === 'revision' && each ? each : `t."${name}"`)).join(', ')
  const cells = stored + computedSql(projection, 't', day, scope.then)
  const text = `select c.position, c.stalled, ${total}, ${exists}, r.revision, ${cells}
    from ${isWithLog ? withAuditLogSql(models) : checkpointsSql(models)}
    cross join lateral (select ${shared ?? 'null::bigint'} as revision offset 0) r
    left join lateral (${pages(page, beyond, scope, sorting, limit)}) t on true
    order by ${orderBy(sorting, 't')}`
  return { of: isWithLog ? [...models, auditLog] : models, text, values, isAboutRevisions: projection !== auditLog }
}

/**
 * SQL of the revisions of things: `shared` is that of the thing that the whole list belongs to, `each` that of a row's
 * thing where the row does not have it by itself.
 */
function revisionsOf({ projection }: Resource, { fixed, then }: Scope): { shared?: string; each?: string } {
  const thing = thingOf(projection)
  if (!thing) return {}
  const position = then === undefined ? 'c.position' : `${then}::bigint`
  const parent = fixed.find(([column]) => column === thing.column)
  const keeps = thing.isWhole || isPlace(projection)
  if (parent) return { shared: revisionSql(thing, parent[1], position), ...(!keeps && { each: 'r.revision' }) }
  return keeps ? {} : { each: `greatest(t."revision", ${revisionSql(thing, `t."${thing.column}"`, position)})` }
}

type Page = (more: readonly Condition[]) => string

/**
 * SQL of the page behind a place. An index is walked for each of two conditions by itself; the past has no index for
 * an order, so that both are one condition there.
 */
function pages(page: Page, beyond: readonly Condition[], { then }: Scope, sorting: Sorting, limit: string): string {
  if (beyond.length < 2) return page(beyond)
  if (then !== undefined) return page([alias => `(${beyond.map(condition => condition(alias)).join(' or ')})`])
  const parts = beyond.map(condition => `(${page([condition])})`).join(' union all ')
  return `select * from (${parts}) u order by ${orderBy(sorting, 'u')} limit ${limit}`
}

type From = { readonly place: readonly (string | null)[] | undefined; readonly query: Queries }

/** SQL of the rows that a page is taken from. One of the past is walked to, key by key, where its order is the key. */
function sourceOf({ projection, order }: Resource, { name }: Sorting, scope: Scope, { place, query }: From): string {
  const { fixed, conditions, put, then, table } = scope
  const isOfKey = [...fixed.map(([column]) => column), ...order].join() === projection.key.join()
  if (then === undefined || name !== '' || !projection.history || !isOfKey) return table
  const filters = conditions.slice(fixed.length).map(condition => condition('v'))
  const rows = put(Number(query.limit ?? LIMIT_DEFAULT) + 1 + Number(query.offset ?? 0))
  const page = { fixed, order, position: then, filters, rows }
  return pageAsOf(projection, place ? { ...page, after: place.map(put) } : page)
}
