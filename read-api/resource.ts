import { z } from 'zod'
import { KogiError } from '../domain/kernel/errors.ts'
import type { ApiRequest, ApiResponse, Parameter, Route } from '../domain/kernel/route.ts'
import type { Service } from '../domain/kernel/service.ts'
import { type Fixed, hasHistory, pageAsOf, rowAsOf, tableAsOf } from '../projections/rows/as-of.ts'
import type { AnyProjection, Read } from '../projections/rows/projection.ts'
import { tableOf } from '../projections/rows/tables.ts'
import { asOfErrors, asOfParameter, noHistoryErrors, wantedOf } from './as-of.ts'
import { type AsOf, checkpointsSql, positioned, type ReadStore, read, readErrors } from './consistency.ts'
import { cursorOf, valuesOf } from './cursor.ts'
import {
  fromPath,
  inQuery,
  invalidParameter,
  LIMIT_DEFAULT,
  OFFSET_MAX,
  pageParameters,
  type Queries,
  queriesOf,
  tokenParameters,
  whole,
} from './parameters.ts'
import { columnsOf, opened, outsideSchemaOf, sealedColumnsOf, type Unseal, wireRow } from './rows.ts'

/** One read of a read model, with the names that it has outside. */
export type Resource = Required<Pick<AnyRead, 'parents' | 'filters'>> &
  Omit<AnyRead, 'parents' | 'filters' | 'path' | 'permission'> & {
    readonly projection: AnyProjection
    /** Path of the list below `/api/v1`. */
    readonly path: string
    readonly permission: string
    /** Code of the service. */
    readonly tag: string
    /** Names as they stand in operation ids: `WalletAccount`, `WalletAccounts`. */
    readonly ids: { readonly one: string; readonly many: string }
  }

// biome-ignore lint/suspicious/noExplicitAny: a read of any rows, for the list that holds all of them
type AnyRead = Read<any>

/** Everything that is read as a list of rows and the rows in it. */
export const resourcesOf = (services: readonly Service[], models: readonly AnyProjection[]): readonly Resource[] =>
  models.flatMap(projection => {
    const service = services.find(({ word }) => word === projection.service)
    if (!service) throw new TypeError(`${projection.name} is of the service ${projection.service}, which there is not`)
    return ((projection.reads ?? []) as readonly AnyRead[]).map(read => ({
      parents: {},
      filters: [],
      ...read,
      projection,
      path: `/${service.code}${read.path}`,
      permission: `${service.word}.${read.permission}`,
      tag: service.code,
      ids: { one: pascal(read.one), many: pascal(read.many) },
    }))
  })

/** `wallet account` → `WalletAccount`. */
const pascal = (words: string) => words.replaceAll(/(?:^| )(.)/g, (_, letter: string) => letter.toUpperCase())

/** What the routes of resources need from outside. */
export type ResourceDeps = ReadStore & { readonly unseal: Unseal }

/** The routes of a resource: its list, and the single thing where it has a name. */
export function routesOf(resource: Resource, deps: ResourceDeps): Route[] {
  const { ids, path, names, projection, permission, tag, summary } = resource
  const shared = { method: 'GET', permission, tag } as const
  const row = outsideSchemaOf(projection)
  const known = knowsThePast(resource)
  const moment = known ? [asOfParameter, ...tokenParameters] : tokenParameters
  const listed = [...listParameters(resource), ...moment]
  const list: Route = {
    ...shared,
    path,
    operationId: `list${ids.many}`,
    summary: summary.list,
    parameters: [...pathParameters(resource, Object.keys(resource.parents)), ...listed],
    response: z.array(row),
    errors: {
      ...(known ? asOfErrors : noHistoryErrors),
      404: ['not_found'],
      ...readErrors,
    },
    handle: listHandler(resource, listed, deps),
  }
  if (names.length === 0) return [list]
  const get: Route = {
    ...list,
    path: `${path}${names.map(name => `/:${name}`).join('')}`,
    operationId: `get${ids.one}`,
    summary: summary.get ?? '',
    parameters: [...pathParameters(resource, [...Object.keys(resource.parents), ...names]), ...moment],
    response: row,
    handle: getHandler(resource, moment, deps),
  }
  return [list, get]
}

/** Whether what a resource shows can be asked for as of an earlier position. */
const knowsThePast = ({ projection, within }: Resource) => hasHistory(projection) && (!within || hasHistory(within))

/** The thing by its key: one prepared statement, one round trip. */
function getHandler(
  { one, ids, path, projection, parents, names }: Resource,
  parameters: readonly Parameter[],
  deps: ResourceDeps,
) {
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
  return async (request: ApiRequest): Promise<ApiResponse> => {
    const { org } = request.principal
    const values: unknown[] = [org]
    for (const [param, column] of params) values.push(fromPath(request, param, projection.row.shape[column!]))
    const wanted = await wantedOf(deps, request, queriesOf(request, parameters))
    const { asOf } = wanted
    const statement = asOf && then ? { ...then, values: [...values, asOf.position] } : { ...now, values }
    const { rows, position } = await read(deps, request, statement, wanted)
    if (rows[0]![orgAt] === null) throw notFound(one, asOf)
    const data = wireRow(columns, rows[0]!, 2)
    if (personal.length > 0) await opened([data], personal, org, deps.unseal)
    const answer = positioned(position, asOf)
    if (data.revision === undefined) return { data, ...answer }
    return { data, meta: answer.meta, headers: { ...answer.headers, ETag: `"${data.revision}"` } }
  }
}

/** A page of the list: keyset by the order columns, filters, offset and total, all in one statement. */
function listHandler(resource: Resource, parameters: readonly Parameter[], deps: ResourceDeps) {
  const { ids, projection, order, within } = resource
  const columns = columnsOf(projection)
  const personal = sealedColumnsOf(projection)
  const first = 4
  const orgAt = first + columns.indexOf('org')
  const keys = order.map(column => first + columns.indexOf(column))
  return async (request: ApiRequest): Promise<ApiResponse> => {
    const query = queriesOf(request, parameters)
    refuseContradictions(query)
    const limit = Number(query.limit ?? LIMIT_DEFAULT)
    const wanted = await wantedOf(deps, request, query)
    const { asOf } = wanted
    const { rows, position } = await read(deps, request, listStatement(resource, request, query, asOf), wanted)
    const [, , total, exists] = rows[0]!
    if (exists === false) throw notFound(within!.reads![0]!.one, asOf)
    const found = rows[0]![orgAt] === null ? [] : rows.slice(0, limit)
    const last = rows.length > limit ? found.at(-1) : undefined
    const place = last && keys.map(at => String(last[at]))
    const next = place && cursorOf(ids.many, place, asOf)
    const data = found.map(values => wireRow(columns, values, first))
    return {
      data: await opened(data, personal, request.principal.org, deps.unseal),
      pagination: {
        limit,
        has_more: next !== undefined,
        ...(next !== undefined && { next }),
        ...(query.offset !== undefined && { offset: Number(query.offset) }),
        ...(total !== null && { total: Number(total) }),
      },
      ...positioned(position, asOf),
    }
  }
}

function listStatement(resource: Resource, request: ApiRequest, query: Queries, asOf: AsOf | undefined) {
  const { ids, projection, parents, within, filters, order } = resource
  const { shape } = projection.row
  const columns = columnsOf(projection)
  const values: unknown[] = []
  const put = (value: unknown) => `$${values.push(value) + 1}`
  const fixed: (readonly [string, string])[] = [['org', put(request.principal.org)]]
  for (const [param, column] of Object.entries(parents)) {
    fixed.push([column, put(fromPath(request, param, shape[column]))])
  }
  const given = filters.filter(name => query[name] !== undefined).map(name => [name, put(query[name])] as const)
  const place =
    query.after === undefined
      ? undefined
      : valuesOf(
          query.after,
          ids.many,
          order.map(column => shape[column]),
          asOf,
        ).map(put)
  const [limit, offset] = [Number(query.limit ?? LIMIT_DEFAULT) + 1, Number(query.offset ?? 0)]
  const filtered = (alias: string) => given.map(([column, value]) => `${alias}."${column}" = ${value}`)
  const where = [...fixed.map(([column, value]) => `t."${column}" = ${value}`), ...filtered('t')]
  let whole = tableOf(projection)
  let source = whole
  let then: string | undefined
  if (asOf) {
    then = put(asOf.position)
    whole = tableAsOf(projection, fixed, then)
    source = whole
    if (projection.history) {
      const page = { fixed, order, position: then, filters: filtered('v'), rows: put(limit + offset) }
      source = pageAsOf(projection, place ? { ...page, after: place } : page)
    }
  }
  const total = query.total === 'true' ? `(select count(*) from ${whole} t where ${where.join(' and ')})` : 'null'
  if (place) where.push(`(${selected('t', order)}) > (${place.join(', ')})`)
  const of = within ? [projection, within] : [projection]
  const parent = within?.key.map((column, at) => [column, fixed[at]![1]] as const)
  const text = `select c.position, c.stalled, ${total}, ${existsSql(within, parent, then)}, ${selected('t', columns)}
    from ${checkpointsSql(of)} left join lateral (
      select ${selected('t', columns)} from ${source} t where ${where.join(' and ')}
      order by ${selected('t', order)} limit ${put(limit)} offset ${put(offset)}
    ) t on true order by ${selected('t', order)}`
  return { of, text, values }
}

/** Whether the thing is there that a list belongs to. */
function existsSql(within: AnyProjection | undefined, key: Fixed | undefined, then: string | undefined): string {
  if (!within || !key) return 'true'
  if (then !== undefined) return `exists(select from ${rowAsOf(within, key, then)} p)`
  const where = key.map(([column, value]) => `p."${column}" = ${value}`).join(' and ')
  return `exists(select from ${tableOf(within)} p where ${where})`
}

function listParameters({ projection, filters }: Resource): readonly Parameter[] {
  return [
    ...filters.map(name => inQuery(name, projection.row.shape[name], `only those with this ${name}`)),
    ...pageParameters,
    inQuery(
      'offset',
      whole(0, OFFSET_MAX, 0),
      'rows to skip; rows that move meanwhile are lost or doubled: see `after`',
    ),
    inQuery('total', z.enum(['true', 'false']), 'also count the rows, which costs a query of its own'),
  ]
}

function pathParameters({ projection, parents }: Resource, names: readonly string[]): readonly Parameter[] {
  return names.map(name => {
    const schema: z.ZodType = projection.row.shape[parents[name] ?? name]
    return { name, in: 'path', schema, description: schema.description ?? `its ${name}` }
  })
}

/** Refuses a cursor with an offset. */
function refuseContradictions(query: Queries): void {
  if (query.after !== undefined && query.offset !== undefined) {
    throw invalidParameter('offset', 'cannot go together with after')
  }
}

const selected = (table: string, columns: readonly string[]) => columns.map(name => `${table}."${name}"`).join(', ')

const notFound = (what: string, asOf: AsOf | undefined) =>
  new KogiError('not_found', `There ${asOf ? 'was' : 'is'} no such ${what}${asOf ? ' then' : ''}.`)
