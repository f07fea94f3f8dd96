/** The rows that a request asks for before they are ordered or grouped: what a list and its summary have in common. */
import type { z } from 'zod'
import { KogiError } from '../domain/kernel/errors.ts'
import type { ApiRequest, Parameter } from '../domain/kernel/route.ts'
import { type Fixed, hasHistory, rowAsOf, rowsSql } from '../projections/rows/as-of.ts'
import type { AnyProjection } from '../projections/rows/projection.ts'
import { tableOf } from '../projections/rows/tables.ts'
import { asOfParameter } from './as-of.ts'
import type { AsOf } from './consistency.ts'
import { type Condition, conditionsOf, type Filters, type Put } from './filters.ts'
import { fromPath, type Queries, tokenParameters } from './parameters.ts'
import type { Resource } from './resource.ts'

/** A statement in the making: its values, the conditions on its rows, and the tables that it reads. */
export type Scope = {
  readonly values: unknown[]
  readonly put: Put
  /** The org and the thing that the list belongs to, by their columns. */
  readonly fixed: Fixed
  readonly conditions: readonly Condition[]
  /** The parameter of the position of `as_of`. */
  readonly then: string | undefined
  /** SQL of all rows of the org, as of then. */
  readonly table: string
  /** SQL of whether the thing is there that the list belongs to. */
  readonly exists: string
  /** The read models that the answer depends on. */
  readonly of: readonly AnyProjection[]
}

/** A request of a list or a summary, with its checked query. */
export type Asked = { readonly request: ApiRequest; readonly query: Queries; readonly asOf: AsOf | undefined }

/** The scope of a request: the first value of its statement is `$2`, because `$1` is the bucket. */
export function scopeOf(resource: Resource, filters: Filters, asked: Asked): Scope {
  const { projection, parents, where } = resource
  const { request, query, asOf } = asked
  const values: unknown[] = []
  const put: Put = value => `$${values.push(value) + 1}`
  const fixed: (readonly [string, string])[] = [['org', put(request.principal.org)]]
  for (const [param, column] of Object.entries(parents)) {
    fixed.push([column, put(fromPath(request, param, projection.row.shape[column]))])
  }
  const constant = Object.entries(where as Readonly<Record<string, string | readonly string[]>>).map(
    ([column, value]) => [column, typeof value === 'string' ? put(value) : `any(${put(value)}::text[])`] as const,
  )
  const then = asOf && put(asOf.position)
  const { exists, isOfNow } = parentOf(resource, fixed, then)
  const conditions = [
    ...[...fixed, ...constant].map(
      ([column, value]) =>
        (alias: string) =>
          `${alias}."${column}" = ${value}`,
    ),
    ...conditionsOf(filters, query, put),
    ...(isOfNow ? [isOfNow] : []),
  ]
  const table = rowsSql(projection, fixed, then)
  return { values, put, fixed, conditions, then, table, exists: exists ?? 'true', of: readOf(resource) }
}

/** What must be true of the thing that rows belong to, and of rows where an earlier one of its id has left some. */
type OfParent = { readonly exists?: string; readonly isOfNow?: Condition }

/** The same as SQL, by the columns that name the thing. */
export function parentOf(resource: Resource, fixed: Fixed, then: string | undefined): OfParent {
  const { projection, parents, within, since } = resource
  if (!within) return {}
  const isOfOne = Object.keys(parents).length > 0
  const parentOfRow: Condition = alias => {
    const valueAt = (at: number) => (isOfOne ? fixed[at]![1] : `${alias}."${projection.key[at]}"`)
    const key = within.key.map((column: string, at: number) => [column, valueAt(at)] as const)
    const where = key.map(([column, value]) => `p."${column}" = ${value}`).join(' and ')
    return then === undefined ? `${tableOf(within)} p where ${where}` : `${rowAsOf(within, key, then)} p`
  }
  return {
    ...(isOfOne && { exists: `exists(select from ${parentOfRow('')})` }),
    ...(since !== undefined && {
      isOfNow: alias => `${alias}."revision" > (select p."${since}" from ${parentOfRow(alias)})`,
    }),
  }
}

/** The read models that a resource is made of. */
export const readOf = ({ projection, within }: Resource): readonly AnyProjection[] =>
  within ? [projection, within] : [projection]

/** SQL of all conditions on the rows of an alias. */
export const all = (conditions: readonly Condition[], alias: string): string =>
  conditions.map(condition => condition(alias)).join(' and ')

/** SQL of columns, for the alias of their table. */
export const selected = (alias: string, columns: readonly string[]): string =>
  columns.map(name => `${alias}."${name}"`).join(', ')

/** Whether what a resource shows can be asked for as of an earlier position. */
export const knowsThePast = ({ projection, within }: Resource): boolean =>
  hasHistory(projection) && (!within || hasHistory(within))

/** The parameters of the position that an answer has, and of the position that it is of. */
export const momentParameters = (resource: Resource): readonly Parameter[] =>
  knowsThePast(resource) ? [asOfParameter, ...tokenParameters] : tokenParameters

/** The parameters of a path: the things that a list belongs to, and the names of a single row. */
export const pathParameters = ({ projection, parents }: Resource, names: readonly string[]): readonly Parameter[] =>
  [...Object.keys(parents), ...names].map(name => {
    const schema: z.ZodType = projection.row.shape[parents[name] ?? name]
    return { name, in: 'path', schema, description: schema.description ?? `its ${name}` }
  })

/** The error where a thing is not there: `There is no wallet studio.` */
export function notFound(what: string, names: readonly string[], asOf: AsOf | undefined): KogiError {
  const thing = [what, ...names].join(' ')
  return new KogiError('not_found', asOf ? `There was no ${thing} then.` : `There is no ${thing}.`)
}

/** The same for the thing that a list belongs to. */
export const nothingToListOf = ({ within, parents }: Resource, { request, asOf }: Asked): KogiError =>
  notFound(
    within?.reads?.[0]?.one ?? 'thing',
    Object.keys(parents).map(name => request.params[name]!),
    asOf,
  )
