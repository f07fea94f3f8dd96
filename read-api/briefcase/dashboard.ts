/** `GET /kbfc/dashboard` and `GET /kbfc/briefcase`: a portfolio at a glance, and the briefcase of the caller. */
import { z } from 'zod'
import { KogiError } from '../../domain/kernel/errors.ts'
import type { ApiRequest, Parameter, Route } from '../../domain/kernel/route.ts'
import { id } from '../../domain/kernel/schema.ts'
import { briefcases } from '../../projections/briefcase/briefcases.ts'
import { items } from '../../projections/briefcase/items.ts'
import { tableOf } from '../../projections/rows/tables.ts'
import { noHistoryErrors } from '../as-of.ts'
import { computedNames, computedSql } from '../computed.ts'
import { checkpointsSql, earlierOf, positioned, read, readErrors, type Statement, tokenOf } from '../consistency.ts'
import { type ActivityDeps, activityRoute } from '../hub/activity.ts'
import { inQuery, type Queries, queriesOf, tokenParameters, whole } from '../parameters.ts'
import { columnsOf, outsideSchemaOf, wireRow } from '../rows.ts'
import { selected } from '../scope.ts'
import { valueSchema, worthOf } from './value.ts'

const ACTIVITY_DEFAULT = 10

const parameters: readonly Parameter[] = [
  inQuery('briefcase', id('briefcase'), 'only items of this briefcase; the activity is that of all'),
  inQuery('activity', whole(0, 100, ACTIVITY_DEFAULT), 'most happenings to answer with'),
  ...tokenParameters,
]

const count = z.int().min(0)
const counts = (field: string) => z.array(z.strictObject({ [field]: z.string(), count }))

/** The routes of the dashboard and of the caller's briefcase. */
export function dashboardRoutes(deps: ActivityDeps): Route[] {
  const activity = activityRoute(deps)
  const response = z
    .strictObject({
      items: z.strictObject({ active: count, archived: count }),
      by_type: counts('type'),
      by_status: counts('status'),
      value: valueSchema,
      activity: activity.response.meta({ description: 'what happened to items, newest first' }),
    })
    .meta({ title: 'BriefcaseDashboard' })
  const shared = { method: 'GET', permission: 'briefcase.items.read', tag: 'kbfc' } as const
  return [
    {
      ...shared,
      path: '/kbfc/dashboard',
      operationId: 'getBriefcaseDashboard',
      summary:
        'The portfolio at a glance: items by type and status, what they are worth today, and what happened last.',
      parameters,
      response,
      errors: { ...noHistoryErrors, 403: ['forbidden'], ...readErrors },
      async handle(request) {
        const query = queriesOf(request, parameters)
        const token = tokenOf(request, query)
        const found = await read(deps, request, countsStatement(request.principal.org, query), { token })
        const groups = found.rows.filter(row => row[2] !== null) as [string, boolean, string, string, string, string][]
        const worth = await worthOf(deps, request, query, { token })
        const limit = query.activity ?? String(ACTIVITY_DEFAULT)
        const happened = limit === '0' ? [] : await happenings(activity, request, limit)
        const active = groups.filter(([, , state]) => state === 'active')
        const sum = (some: typeof groups) => some.reduce((total, group) => total + Number(group[5]), 0)
        const data = {
          items: { active: sum(active), archived: sum(groups) - sum(active) },
          by_type: added(active, 3).map(([type, count]) => ({ type, count })),
          by_status: added(active, 4).map(([status, count]) => ({ status, count })),
          value: worth.data,
          activity: happened,
        }
        return { data, ...positioned(earlierOf(found.position, worth.position)) }
      },
    },
    {
      ...shared,
      path: '/kbfc/briefcase',
      permission: 'briefcase.briefcases.read',
      operationId: 'getOwnBriefcase',
      summary: 'The briefcase of the caller: the first that they made.',
      parameters: tokenParameters,
      response: outsideSchemaOf(briefcases),
      errors: { ...noHistoryErrors, 404: ['not_found'], ...readErrors },
      async handle(request) {
        const token = tokenOf(request, queriesOf(request, tokenParameters))
        const { org, subject } = request.principal
        const { rows, position } = await read(deps, request, ownStatement(org, subject), { token })
        const row = rows[0]!
        if (row[2 + COLUMNS.indexOf('org')] === null)
          throw new KogiError('not_found', 'You have no briefcase: add one.')
        return { data: wireRow([...COLUMNS, ...computedNames(briefcases)], row, 2), ...positioned(position) }
      },
    },
  ]
}

const COLUMNS = columnsOf(briefcases)

function ownStatement(org: string, subject: string): Statement {
  const columns = selected('b', COLUMNS) + computedSql(briefcases, 'b', 'null', undefined)
  const first = `select * from ${tableOf(briefcases)} b where b.org = $2 and b.owner = $3 order by b.created_at, b.id`
  const text = `select c.position, c.stalled, ${columns}
    from ${checkpointsSql([briefcases])} left join lateral (${first} limit 1) b on true`
  return { of: [briefcases], text, values: [org, subject] }
}

function countsStatement(org: string, { briefcase }: Queries): Statement {
  const own = briefcase === undefined ? '' : ' and i.briefcase = $3'
  const groups = `select i.state, i.type, i.status, count(*) from ${tableOf(items)} i where i.org = $2${own}`
  const text = `select c.position, c.stalled, g.*
    from ${checkpointsSql([items])} left join (${groups} group by 1, 2, 3) g on true`
  return { of: [items], text, values: briefcase === undefined ? [org] : [org, briefcase] }
}

/** Counts by the value of a column, the largest first. */
function added(groups: readonly (readonly unknown[])[], column: number): readonly (readonly [string, number])[] {
  const counts = new Map<string, number>()
  for (const group of groups) {
    const value = String(group[column])
    counts.set(value, (counts.get(value) ?? 0) + Number(group[5]))
  }
  return [...counts].sort(([a, m], [b, n]) => n - m || (a < b ? -1 : 1))
}

/** What happened to items, as the activity feed tells it. */
async function happenings(activity: Route, request: ApiRequest, limit: string): Promise<unknown> {
  const { principal, correlationId, signal, header } = request
  const asked = {
    principal,
    params: {},
    query: { category: 'item', limit },
    body: undefined,
    header,
    correlationId,
    signal,
  }
  return (await activity.handle(asked)).data
}
