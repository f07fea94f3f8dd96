/** How many rows a list has, and what they add up to, by groups: one statement, exact sums. */
import { z } from 'zod'
import type { Json } from '../domain/kernel/json.ts'
import type { Parameter, Route } from '../domain/kernel/route.ts'
import { fieldInfo, plainOf } from '../domain/kernel/schema.ts'
import { wantedOf } from './as-of.ts'
import { checkpointsSql, positioned, read, type Statement } from './consistency.ts'
import { type Filters, isTime } from './filters.ts'
import { inQuery, invalidParameter, listed, type Queries, queriesOf, severalInQuery, whole } from './parameters.ts'
import type { Resource, ResourceDeps } from './resource.ts'
import { type Asked, all, momentParameters, nothingToListOf, type Scope, scopeOf } from './scope.ts'

const GROUPS_DEFAULT = 100
const GROUPS_MAX = 1_000
/** Most fields that one summary groups by. */
const BY_MAX = 3

/** One group: its values by the names in `by`, the number of its rows, and its sums by the names in `sum`. */
export const summaryRow = z
  .strictObject({
    group: z.record(z.string(), z.union([z.string(), z.number(), z.boolean(), z.null()])).meta({
      description: 'the values of the fields of `by`, `null` where the rows have none',
    }),
    count: z.int().min(0),
    sums: z.record(z.string(), z.string().regex(/^-?[0-9]+(\.[0-9]+)?$/)).meta({
      description: 'the sums of the fields of `sum`, decimal strings of any length',
    }),
  })
  .meta({ title: 'SummaryRow' })

/** A field that rows are grouped by, as `by` names it, and the SQL of its value. */
type Group = { readonly name: string; readonly sql: string }

/**
 * What `by` can name: columns, those of days and instants by the day, the week (named by its Monday) or the month that
 * they lie in, instants in UTC.
 */
function groupsOf({ projection, groups }: Resource): readonly Group[] {
  return groups.flatMap(column => {
    const sql = `t."${column}"`
    if (!isTime(plainOf(projection.row.shape[column]))) return [{ name: column, sql }]
    return [
      { name: `${column}:day`, sql: `left(${sql}, 10)` },
      { name: `${column}:week`, sql: mondayOf(sql) },
      { name: `${column}:month`, sql: `left(${sql}, 7)` },
    ]
  })
}

/**
 * SQL of the Monday on or before a day. PostgreSQL has no year 0, which the calendar of days has: weeks repeat every
 * 400 years, so that those of the year 400 are taken. The first week of the calendar begins with its first day.
 */
function mondayOf(day: string): string {
  const monday = `to_char(date_trunc('week', left(${day}, 10)::timestamp), 'YYYY-MM-DD')`
  const later = `date_trunc('week', ('0400' || substr(${day}, 5, 6))::timestamp)`
  const inYear0 = `'0000' || to_char(greatest(${later}, timestamp '0400-01-01'), '-MM-DD')`
  return `(case when ${day} < '0001' then ${inYear0} else ${monday} end collate "C")`
}

/** The column that holds the unit of a sum, `null` where it has none. Throws `TypeError` for a unit in no group. */
export function unitOf({ projection, groups, units }: Resource, sum: string): string | null {
  const { shape } = projection.row
  const isMoney = fieldInfo(shape[sum]).column === 'numeric'
  const unit = units[sum] === undefined && isMoney ? 'currency' : (units[sum] ?? null)
  if (unit !== null && !(unit in shape && groups.includes(unit))) {
    throw new TypeError(`${projection.name}.${sum} needs ${unit} among its groups, or the name of its unit in units`)
  }
  return unit
}

const limitParameter = inQuery(
  'limit',
  whole(1, GROUPS_MAX, GROUPS_DEFAULT),
  'most groups to answer with; `has_more` says that there are more',
)

/** The parameters of a summary, those of its path excepted. */
export function summaryParameters(resource: Resource, filters: Filters): readonly Parameter[] {
  const by = groupsOf(resource).map(({ name }) => name)
  const { sums } = resource
  const sortable = [...new Set(['count', ...by, ...sums])].flatMap(name => [name, `-${name}`])
  return [
    ...filters.map(({ parameter }) => parameter),
    ...(by.length > 0
      ? [severalInQuery('by', z.enum(by), 'group by these fields; all rows are one group without', BY_MAX)]
      : []),
    ...(sums.length > 0
      ? [severalInQuery('sum', z.enum(sums), `add up these fields${unitsOf(resource)}`, sums.length)]
      : []),
    inQuery(
      'sort',
      z.enum(sortable),
      'order by `count` or a field of `by` or `sum`, downwards with `-`; ties, and all without, by `by`',
    ),
    limitParameter,
    ...momentParameters(resource),
  ]
}

function unitsOf(resource: Resource): string {
  const units = resource.sums.map(sum => [sum, unitOf(resource, sum)] as const).filter(([, unit]) => unit !== null)
  return units.map(([sum, unit]) => `; ${sum} only by ${unit} or filtered to one ${unit}`).join('')
}

/** Columns of the answer before those of the group: position, stalled, exists, count. */
const GROUP_AT = 4

/** Answers a summary. */
export function summaryHandler(resource: Resource, filters: Filters, deps: ResourceDeps): Route['handle'] {
  const parameters = summaryParameters(resource, filters)
  const known = groupsOf(resource)
  return async request => {
    const query = queriesOf(request, parameters)
    const by = namesIn('by', query.by).map(name => known.find(group => group.name === name)!)
    const sums = namesIn('sum', query.sum)
    refuseMixedUnits(resource, query, sums)
    const limit = Number(query.limit ?? GROUPS_DEFAULT)
    const places = placesOf(resource, by, sums)
    const wanted = await wantedOf(deps, request, query)
    const asked: Asked = { request, query, asOf: wanted.asOf }
    const summed = { by, sums, terms: sums.map(sum => termOf(resource, sum)), places, limit, sort: query.sort }
    const statement = summaryStatement(scopeOf(resource, filters, asked), summed)
    const { rows, position } = await read(deps, request, statement, wanted)
    if (rows[0]![2] === false) throw nothingToListOf(resource, asked)
    refuseMixedPlaces(places, rows, GROUP_AT + by.length + sums.length)
    const found = rows[0]![3] === null ? [] : rows.slice(0, limit)
    return {
      data: found.map(row => ({
        group: named(
          by.map(({ name }) => name),
          row,
          GROUP_AT,
        ),
        count: Number(row[3]),
        sums: named(sums, row, GROUP_AT + by.length),
      })),
      pagination: { limit, has_more: rows.length > limit },
      ...positioned(position, wanted.asOf),
    }
  }
}

function namesIn(parameter: string, text: string | undefined): readonly string[] {
  const names = text === undefined ? [] : listed(text)!
  if (new Set(names).size < names.length) throw invalidParameter(parameter, 'must name each field once')
  return names
}

/** Refuses a sum over amounts of several currencies: the rows of a group must be of one, by group or by filter. */
function refuseMixedUnits(resource: Resource, query: Queries, sums: readonly string[]): void {
  for (const sum of sums) {
    const unit = unitOf(resource, sum)
    if (unit === null || namesIn('by', query.by).includes(unit)) continue
    const filter = query[unit]
    if (filter !== undefined && new Set(listed(filter)).size === 1) continue
    const filtered = resource.filters.includes(unit) ? ` or filter to one, as ${unit}=…` : ''
    throw invalidParameter(
      'sum',
      `must not add up ${sum} over several values of ${unit}: group with by=${unit}${filtered}`,
    )
  }
}

/** The columns of places that the groups do not keep apart. */
const placesOf = (resource: Resource, by: readonly Group[], sums: readonly string[]): readonly string[] =>
  sums
    .map(sum => resource.places[sum])
    .filter(column => column !== undefined)
    .filter(column => !by.some(({ name }) => name === column))

/** Refuses a sum over amounts with several numbers of decimal places, which only the rows tell. */
function refuseMixedPlaces(places: readonly string[], rows: readonly (readonly unknown[])[], from: number): void {
  const mixed = places.find((_, at) => rows.some(row => row[from + at] === true))
  if (mixed === undefined) return
  throw invalidParameter('sum', `must not add up amounts with several numbers of decimal places: add ${mixed} to by`)
}

const named = (names: readonly string[], row: readonly unknown[], from: number): Record<string, Json> =>
  Object.fromEntries(names.map((name, at) => [name, row[from + at] as Json]))

/** Measures are added up as decimals, so that the sum of tenths is no fraction of binary digits. */
const termOf = ({ projection }: Resource, sum: string) =>
  fieldInfo(projection.row.shape[sum]).column === 'double precision' ? `t."${sum}"::numeric` : `t."${sum}"`

type Summary = {
  readonly by: readonly Group[]
  readonly sums: readonly string[]
  /** SQL of what is added up for each sum. */
  readonly terms: readonly string[]
  readonly places: readonly string[]
  readonly limit: number
  readonly sort: string | undefined
}

function summaryStatement(scope: Scope, summary: Summary): Statement {
  const { values, put, conditions, exists, of, table } = scope
  const { by, sums, terms, places, limit } = summary
  const columns = [
    'count(*) as count',
    ...by.map(({ sql }, at) => `${sql} as g${at}`),
    ...terms.map((term, at) => `coalesce(sum(${term}), 0) as s${at}`),
    ...places.map((column, at) => `coalesce(min(t."${column}") < max(t."${column}"), false) as p${at}`),
  ]
  const names = ['count', ...columnsOf('g', by), ...columnsOf('s', sums), ...columnsOf('p', places)]
  const grouped = by.length === 0 ? '' : `group by ${by.map((_, at) => at + 2).join(', ')}`
  const order = (alias: string) =>
    orderOf(summary)
      .map(column => `${alias}.${column}`)
      .join(', ')
  // All groups are made before the first are taken: a limit would make PostgreSQL walk an index group by group.
  const text = `select c.position, c.stalled, ${exists}, ${names.map(name => `t.${name}`).join(', ')}
    from ${checkpointsSql(of)} left join lateral (
      with g as materialized (select ${columns.join(', ')} from ${table} t where ${all(conditions, 't')} ${grouped})
      select * from g order by ${order('g')} limit ${put(limit + 1)}
    ) t on true order by ${order('t')}`
  return { of, text, values }
}

const columnsOf = (letter: string, of: readonly unknown[]) => of.map((_, at) => `${letter}${at}`)

/** The columns of the answer that order it. Throws `invalid_parameter` for a field that is not asked for. */
function orderOf({ by, sums, sort }: Summary): readonly string[] {
  const ties = by.map((_, at) => `g${at}`)
  if (sort === undefined) return ties.length > 0 ? ties : ['count']
  const [name, downwards] = sort.startsWith('-') ? [sort.slice(1), ' desc'] : [sort, '']
  const columns = new Map([
    ['count', 'count'],
    ...by.map((group, at) => [group.name, `g${at}`] as const),
    ...sums.map((sum, at) => [sum, `s${at}`] as const),
  ])
  const column = columns.get(name!)
  if (column === undefined) throw invalidParameter('sort', 'must be count or a field of by or sum')
  return [column + downwards, ...ties.filter(tie => tie !== column)]
}
