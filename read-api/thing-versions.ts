/** `GET /<service>/versions/:category/:id`: the versions of a thing, and the difference between two of them. */
import { z } from 'zod'
import { KogiError } from '../domain/kernel/errors.ts'
import type { Json } from '../domain/kernel/json.ts'
import type { Parameter, Route } from '../domain/kernel/route.ts'
import { id, object, text, timestamp, unsigned64 } from '../domain/kernel/schema.ts'
import { auditLog } from '../projections/audit/audit-log.ts'
import { briefcaseModels } from '../projections/briefcase/models.ts'
import { centerModels } from '../projections/center/models.ts'
import type { AnyProjection } from '../projections/rows/projection.ts'
import { historyTableOf, quoted, tableOf } from '../projections/rows/tables.ts'
import { noHistoryErrors } from './as-of.ts'
import { modelOf } from './audit/changes.ts'
import { checkpointsSql, positioned, read, readErrors, tokenOf } from './consistency.ts'
import { type ActivityDeps, openTo } from './hub/activity.ts'
import { fromPath, inQuery, invalidParameter, queriesOf, tokenParameters, whole } from './parameters.ts'
import type { ResourceDeps } from './resource.ts'
import { columnsOf } from './rows.ts'
import { notFound, selected } from './scope.ts'

/** Versions of one answer; a thing with more is asked for in parts, by `from`. */
const VERSIONS_MAX = 1_000
/** Columns that change with every version. */
const UNSAID = new Set(['org', 'id', 'revision', 'updated_at'])

const change = z.record(z.string(), object({ from: z.unknown(), to: z.unknown() }))
const response = object({
  versions: z.array(
    object({
      revision: unsigned64,
      at: timestamp,
      actor: text(255).optional(),
      type: text(64).optional(),
      removed: z.boolean(),
      changes: change.meta({ description: 'what it changed, by field' }),
    }),
  ),
  difference: change.meta({ description: 'what is other in the last version than in the first one' }),
}).meta({ title: 'ThingVersions' })

export type VersionsDeps = ActivityDeps & ResourceDeps

/** The routes of versions. A caller sees those of things that they may read. */
export const versionsRoutes = (deps: VersionsDeps): readonly Route[] => [
  versionsRoute(deps, centerModels, ['kctr', 'center', 'listVersions']),
  versionsRoute(deps, briefcaseModels, ['kbfc', 'briefcase', 'listBriefcaseVersions']),
]

type Named = readonly [code: string, word: string, operationId: string]

function versionsRoute(deps: VersionsDeps, models: readonly AnyProjection[], [code, word, operationId]: Named): Route {
  const things = new Set(models.filter(isOfThings).map(({ of }) => Object.keys(of)[0]!))
  const category = text(64).meta({ description: `what kind of thing it is: ${[...things].join(', ')}` })
  const parameters: readonly Parameter[] = [
    { name: 'category', in: 'path', schema: category, description: 'what kind of thing it is' },
    { name: 'id', in: 'path', schema: id('thing'), description: 'id of the thing' },
    inQuery('from', whole(0, 2 ** 31 - 1), 'the revision that changes are told against; the first one, if left out'),
    inQuery('to', whole(0, 2 ** 31 - 1), 'the last revision; the present one, if left out'),
    ...tokenParameters,
  ]
  return {
    method: 'GET',
    path: `/${code}/versions/:category/:id`,
    operationId,
    summary: `The versions of a thing of the ${word}: who changed what, and the difference between two of them.`,
    permission: 'signed in',
    tag: code,
    parameters,
    response,
    errors: { ...noHistoryErrors, 403: ['forbidden'], 404: ['not_found'], ...readErrors },
    async handle(request) {
      const query = queriesOf(request, parameters)
      const [kind, name] = [fromPath(request, 'category', category), fromPath(request, 'id', id('thing'))]
      if (!things.has(kind)) throw notFound(kind, [name], undefined)
      if (!openTo(deps, request.principal).has(kind)) {
        throw new KogiError('forbidden', `You may not read each ${kind}.`, [{ field: 'category', message: kind }])
      }
      const [from, to] = [Number(query.from ?? 0), Number(query.to ?? 2 ** 31 - 1)]
      if (from > to) throw invalidParameter('to', 'must not lie before from')
      const model = modelOf(deps.resources, kind)!
      const statement = versionsOf(model, [request.principal.org, name, from, to])
      const { rows, position } = await read(deps, request, statement, { token: tokenOf(request, query) })
      if (rows[0]![2] === null) throw notFound(kind, [name], undefined)
      return { data: told(rows, columnsOf(model)), ...positioned(position) }
    },
  }
}

/** Versions as they are answered: what each changed of the one before it, and the last of the first. */
function told(rows: readonly (readonly unknown[])[], columns: readonly string[]) {
  const states = rows.map(row => (row[6] === true ? {} : stateOf(columns, row.slice(7))))
  const versions = rows.map(([, , revision, at, actor, type, isGone], n) => ({
    revision,
    at,
    ...(actor !== null && { actor }),
    ...(type !== null && { type }),
    removed: isGone,
    changes: between(states[n - 1] ?? {}, states[n]!),
  }))
  return { versions, difference: between(states[0]!, states.at(-1)!) }
}

const versionsOf = (model: AnyProjection, values: readonly unknown[]) => ({
  of: [model, auditLog],
  text: versionsSql(model, columnsOf(model)),
  values,
})

const versionsSql = (model: AnyProjection, columns: readonly string[]) => `
  select c.position, c.stalled, coalesce(a.revision, h.revision), coalesce(a.at, h.updated_at), a.actor, a.type,
    h._removed, ${selected('h', columns)}
  from ${checkpointsSql([model, auditLog])} left join (select * from ${quoted(historyTableOf(model))} v
      where v.org = $2 and v.id = $3 and v.revision between $4 and $5
      order by v._position limit ${VERSIONS_MAX}) h on true
  left join ${quoted(tableOf(auditLog))} a on a.org = h.org and a.position = h._position order by h._position`

type State = Readonly<Record<string, Json>>

const stateOf = (columns: readonly string[], cells: readonly unknown[]): State =>
  Object.fromEntries(columns.map((name, at) => [name, (cells[at] ?? null) as Json]))

function between(before: State, after: State) {
  const names = [...new Set([...Object.keys(before), ...Object.keys(after)])].filter(name => !UNSAID.has(name))
  return Object.fromEntries(
    names.flatMap(name => {
      const [from, to] = [before[name] ?? null, after[name] ?? null]
      return JSON.stringify(from) === JSON.stringify(to) ? [] : [[name, { from, to }]]
    }),
  )
}

/** Whether a read model has a row for each thing of one category, with its versions. */
function isOfThings({ of, key, history }: AnyProjection): boolean {
  return history && Object.keys(of).length === 1 && key.join() === 'org,id'
}
