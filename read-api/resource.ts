import { z } from 'zod'
import { KogiError } from '../domain/kernel/errors.ts'
import type { ApiRequest, ApiResponse, Parameter, Route } from '../domain/kernel/route.ts'
import type { AnyProjection, Projection } from '../projections/projection.ts'
import { tableOf } from '../projections/tables.ts'
import { checkpointsSql, positioned, type ReadStore, read, tokenOf } from './consistency.ts'
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

/** A list of things and the things in it, as data: routes, statements and documentation follow from it. */
export type Resource<S extends z.ZodObject = z.ZodObject> = {
  /** Names of one and of many, as they stand in operation ids: `Wallet`, `Wallets`. */
  readonly one: string
  readonly many: string
  /** Path of the list below `/api/v1`. */
  readonly path: `/${string}`
  readonly projection: Pick<Projection<never, S>, 'row'> & AnyProjection
  /** Parameters of the path with the columns they fix, in the order of the key of `within`. */
  readonly parents: Readonly<Record<string, keyof z.output<S> & string>>
  /** The read model of the thing that the list belongs to: 404 where that is not there. */
  readonly within?: AnyProjection
  /** Columns that name one thing in the list, which become the rest of its path; none where it has no path. */
  readonly names: readonly (keyof z.output<S> & string)[]
  /** Columns that order the list, unique within org and parents: an index or the key has them in this order. */
  readonly order: readonly (keyof z.output<S> & string)[]
  /** Columns that the list can be filtered by. */
  readonly filters: readonly (keyof z.output<S> & string)[]
  readonly permission: string
  readonly tag: string
  readonly summary: { readonly list: string; readonly get?: string }
}

/** Returns its argument: a definition is data. */
export const resource = <S extends z.ZodObject>(definition: Resource<S>) => definition

/** A resource of any rows, for the list that holds all of them. */
// biome-ignore lint/suspicious/noExplicitAny: a heterogeneous list, named (house rule 7)
export type AnyResource = Resource<any>

/** What the routes of resources need from outside. */
export type ResourceDeps = ReadStore & { readonly unseal: Unseal }

/** The routes of a resource: its list, and the single thing where it has a name. */
export function routesOf(resource: AnyResource, deps: ResourceDeps): Route[] {
  const { one, many, path, names, projection, permission, tag, summary } = resource
  const shared = { method: 'GET', permission, tag } as const
  const row = outsideSchemaOf(projection)
  const listed = listParameters(resource)
  const list: Route = {
    ...shared,
    path,
    operationId: `list${many}`,
    summary: summary.list,
    parameters: [...pathParameters(resource, Object.keys(resource.parents)), ...listed],
    response: z.array(row),
    errors: { 404: ['not_found'], 503: ['not_yet_visible', 'projection_stalled'] },
    handle: listHandler(resource, listed, deps),
  }
  if (names.length === 0) return [list]
  const get: Route = {
    ...list,
    path: `${path}${names.map(name => `/:${name}`).join('')}`,
    operationId: `get${one}`,
    summary: summary.get ?? '',
    parameters: [...pathParameters(resource, [...Object.keys(resource.parents), ...names]), ...tokenParameters],
    response: row,
    handle: getHandler(resource, deps),
  }
  return [list, get]
}

/** The thing by its key: one prepared statement, one round trip. */
function getHandler({ one, path, projection, parents, names }: AnyResource, deps: ResourceDeps) {
  const params = [...Object.entries(parents), ...names.map(name => [name, name] as const)]
  const columns = columnsOf(projection)
  const personal = sealedColumnsOf(projection)
  const orgAt = 2 + columns.indexOf('org')
  const on = ['t.org = $2', ...params.map(([, column], at) => `t."${column}" = $${at + 3}`)].join(' and ')
  const text = `select c.position, c.stalled, ${selected('t', columns)}
    from ${checkpointsSql([projection])} left join ${tableOf(projection)} t on ${on}`
  const name = `get${one}${path}_v${projection.version}`
  return async (request: ApiRequest): Promise<ApiResponse> => {
    const { org } = request.principal
    const values = [org]
    for (const [param, column] of params) values.push(fromPath(request, param, projection.row.shape[column]))
    const token = tokenOf(request, queriesOf(request, tokenParameters))
    const { rows, position } = await read(deps, request, { name, text, values }, token)
    if (rows[0]![orgAt] === null) throw notFound(one)
    const data = wireRow(columns, rows[0]!, 2)
    if (personal.length > 0) await opened([data], personal, org, deps.unseal)
    const answer = positioned(position)
    if (data.revision === undefined) return { data, ...answer }
    return { data, meta: answer.meta, headers: { ...answer.headers, ETag: `"${data.revision}"` } }
  }
}

/** A page of the list: keyset by the order columns, filters, offset and total, all in one statement. */
function listHandler(resource: AnyResource, parameters: readonly Parameter[], deps: ResourceDeps) {
  const { many, projection, order, within } = resource
  const columns = columnsOf(projection)
  const personal = sealedColumnsOf(projection)
  const first = 4
  const orgAt = first + columns.indexOf('org')
  const keys = order.map(column => first + columns.indexOf(column))
  return async (request: ApiRequest): Promise<ApiResponse> => {
    const query = queriesOf(request, parameters)
    refuseContradictions(resource, query)
    const limit = Number(query.limit ?? LIMIT_DEFAULT)
    const statement = listStatement(resource, request, query, limit)
    const { rows, position } = await read(deps, request, statement, tokenOf(request, query))
    const [, , total, exists] = rows[0]!
    if (exists === false) throw notFound(within!.name.slice(0, -1))
    const found = rows[0]![orgAt] === null ? [] : rows.slice(0, limit)
    const last = found.at(-1)
    const next =
      last && rows.length > limit
        ? cursorOf(
            many,
            keys.map(at => String(last[at])),
          )
        : undefined
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
      ...positioned(position),
    }
  }
}

function listStatement(resource: AnyResource, request: ApiRequest, query: Queries, limit: number) {
  const { many, projection, parents, within, filters, order } = resource
  const { shape } = projection.row
  const columns = columnsOf(projection)
  const values: unknown[] = []
  const put = (value: unknown) => `$${values.push(value) + 1}`
  const org = put(request.principal.org)
  const fixed = Object.entries(parents).map(([param, column]) => [column, put(fromPath(request, param, shape[column]))])
  const table = tableOf(projection)
  const where = [`t.org = ${org}`, ...fixed.map(([column, value]) => `t."${column}" = ${value}`)]
  for (const filter of filters) if (query[filter] !== undefined) where.push(`t."${filter}" = ${put(query[filter])}`)
  const total = query.total === 'true' ? `(select count(*) from ${table} t where ${where.join(' and ')})` : 'null'
  if (query.after !== undefined) {
    const after = valuesOf(
      query.after,
      many,
      order.map(column => shape[column]),
    )
    where.push(`(${selected('t', order)}) > (${after.map(put).join(', ')})`)
  }
  const parent = within?.key.map((column, at) => `p."${column}" = ${at === 0 ? org : fixed[at - 1]![1]}`)
  const exists = within ? `exists(select from ${tableOf(within)} p where ${parent!.join(' and ')})` : 'true'
  const text = `select c.position, c.stalled, ${total}, ${exists}, ${selected('t', columns)}
    from ${checkpointsSql(within ? [projection, within] : [projection])} left join lateral (
      select ${selected('t', columns)} from ${table} t where ${where.join(' and ')}
      order by ${selected('t', order)} limit ${put(limit + 1)} offset ${put(Number(query.offset ?? 0))}
    ) t on true order by ${selected('t', order)}`
  return { text, values }
}

function listParameters({ projection, filters }: AnyResource): readonly Parameter[] {
  return [
    ...filters.map(name => inQuery(name, projection.row.shape[name], `only those with this ${name}`)),
    ...pageParameters,
    inQuery(
      'offset',
      whole(0, OFFSET_MAX, 0),
      'rows to skip; rows that move meanwhile are lost or doubled: see `after`',
    ),
    inQuery('total', z.enum(['true', 'false']), 'also count the rows, which costs a query of its own'),
    ...tokenParameters,
  ]
}

function pathParameters({ projection, parents }: AnyResource, names: readonly string[]): readonly Parameter[] {
  return names.map(name => {
    const schema: z.ZodType = projection.row.shape[parents[name] ?? name]
    return { name, in: 'path', schema, description: schema.description ?? `its ${name}` }
  })
}

/** Refuses a cursor with an offset, and a filter that no index serves without another one. */
function refuseContradictions({ projection, parents, filters }: AnyResource, query: Queries): void {
  if (query.after !== undefined && query.offset !== undefined) {
    throw invalidParameter('offset', 'cannot go together with after')
  }
  const given = filters.filter(name => query[name] !== undefined)
  const fixed = new Set(['org', ...Object.values(parents), ...given])
  const indexes = [projection.key, ...projection.indexes]
  for (const name of given) {
    const before = indexes.filter(index => index.includes(name)).map(index => index.slice(0, index.indexOf(name)))
    if (before.some(columns => columns.every(column => fixed.has(column)))) continue
    const missing = before[0]!.filter(column => !fixed.has(column))
    throw invalidParameter(name, `can only filter together with ${missing.join(', ')}`)
  }
}

const selected = (table: string, columns: readonly string[]) => columns.map(name => `${table}."${name}"`).join(', ')

const notFound = (what: string) =>
  new KogiError('not_found', `There is no such ${what.replaceAll(/\B[A-Z]/g, ' $&').toLowerCase()}.`)
