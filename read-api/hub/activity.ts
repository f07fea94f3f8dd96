/** `GET /khub/activity`: what happened in an org, to a thing, or by a person, newest first, in plain sentences. */
import { z } from 'zod'
import { KogiError } from '../../domain/kernel/errors.ts'
import type { Parameter, Principal, Route } from '../../domain/kernel/route.ts'
import { auditLog } from '../../projections/audit/audit-log.ts'
import { quoted, tableOf } from '../../projections/rows/tables.ts'
import { asOfErrors, asOfParameter, wantedOf } from '../as-of.ts'
import { checkpointsSql, positioned, type ReadStore, read, readErrors } from '../consistency.ts'
import { cursorOf, placeOf } from '../cursor.ts'
import { conditionsOf, filtersOf } from '../filters.ts'
import {
  LIMIT_DEFAULT,
  listed,
  pageParameters,
  type Queries,
  queriesOf,
  severalInQuery,
  tokenParameters,
} from '../parameters.ts'
import { wireRow } from '../rows.ts'
import { selected } from '../scope.ts'
import { type Happening, type Kind, sentencesOf } from './sentences.ts'

export type ActivityDeps = ReadStore & {
  /** The things that activity is about, by category. */
  readonly kinds: ReadonlyMap<string, Kind>
  readonly allows: (principal: Principal, permission: string) => boolean
}

const { position, event_id, at, actor, category, id, type, reason } = auditLog.row.shape
const link = z.string().meta({ description: 'path of the thing that the text names, where the caller may read it' })
/** The sentence of an answer. */
export const sentenceFields = {
  text: z.string().meta({ description: 'what happened, in one sentence' }),
  parts: z
    .array(z.strictObject({ text: z.string(), link: link.optional() }))
    .meta({ description: 'the same sentence in pieces: those that name a thing have its link' }),
}
const activitySchema = z.strictObject({
  position,
  event_id,
  at,
  actor,
  category,
  id,
  type,
  ...sentenceFields,
  reason,
})

const COLUMNS = ['position', 'event_id', 'at', 'actor', 'category', 'id', 'type', 'reason', 'data']
const FILTERS = filtersOf(auditLog, ['id', 'actor', 'type', 'at'])

/** The route of the activity feed. */
export function activityRoute(deps: ActivityDeps): Route {
  const parameters: readonly Parameter[] = [
    severalInQuery(
      'category',
      z.enum([...deps.kinds.keys()] as [string]),
      'only what happened to things of these categories',
    ),
    ...FILTERS.map(({ parameter }) => parameter),
    ...pageParameters,
    asOfParameter,
    ...tokenParameters,
  ]
  return {
    method: 'GET',
    path: '/khub/activity',
    permission: 'signed in',
    operationId: 'listActivity',
    summary:
      'What happened, newest first, in plain sentences with links: in the organization, by a person (`actor`), to a ' +
      'thing (`category` and `id`); as far as the caller may read the things.',
    tag: 'khub',
    parameters,
    response: z.array(activitySchema),
    errors: { ...asOfErrors, 403: ['forbidden'], ...readErrors },
    async handle(request) {
      const query = queriesOf(request, parameters)
      const open = openTo(deps, request.principal)
      const categories = categoriesOf(deps, open, query)
      const wanted = await wantedOf(deps, request, query)
      const limit = Number(query.limit ?? LIMIT_DEFAULT)
      const statement = pageStatement(request.principal.org, categories, query, { limit, asOf: wanted.asOf })
      const { rows, position: reached } = await read(deps, request, statement, wanted)
      const found = rows[0]![2] === null ? [] : rows.slice(0, limit).map(values => wireRow(COLUMNS, values, 2))
      const happenings = found as unknown as readonly Happening[]
      const sentences = await sentencesOf(deps, request, happenings, { kinds: deps.kinds, open, wanted })
      const last = rows.length > limit ? found.at(-1) : undefined
      const next = last && cursorOf(LIST, [last.position], wanted.asOf)
      return {
        data: found.map(({ data: _, ...row }, n) => {
          const parts = sentences[n]!
          return { ...row, text: parts.map(part => part.text).join(''), parts }
        }),
        pagination: { limit, has_more: next !== undefined, ...(next !== undefined && { next }) },
        ...positioned(reached, wanted.asOf),
      }
    },
  }
}

const LIST = 'activity'

/** The categories whose things the caller may read in every respect: a sentence may quote any of it. */
export const openTo = (
  { kinds, allows }: Pick<ActivityDeps, 'kinds' | 'allows'>,
  principal: Principal,
): ReadonlySet<string> =>
  new Set(
    [...kinds].filter(([, kind]) => kind.permissions.every(each => allows(principal, each))).map(([name]) => name),
  )

/** The categories that are asked for. Throws `forbidden` where the caller may not read one that they name, or any. */
function categoriesOf({ kinds }: ActivityDeps, open: ReadonlySet<string>, query: Queries): readonly string[] {
  const asked = query.category === undefined ? undefined : listed(query.category)!
  const closed = (asked ?? []).filter(name => !open.has(name))
  if (closed.length === 0 && open.size > 0) return asked ?? [...open]
  const needed = new Set((asked ? closed : [...kinds.keys()]).flatMap(name => kinds.get(name)!.permissions))
  const details = [...needed].map(message => ({ field: 'permission', message }))
  throw new KogiError('forbidden', 'The token does not allow to read what this activity is about.', details)
}

type Page = { readonly limit: number; readonly asOf: Parameters<typeof positioned>[1] }

function pageStatement(org: string, categories: readonly string[], query: Queries, { limit, asOf }: Page) {
  const values: unknown[] = [org, categories]
  const put = (value: unknown) => `$${values.push(value) + 1}`
  const conditions = [...conditionsOf(FILTERS, query, put)]
  if (query.after !== undefined) {
    const [before] = placeOf(query.after, LIST, [position], asOf).map(put)
    conditions.push(alias => `${alias}.position < ${before}::bigint`)
  }
  if (asOf) {
    const then = put(asOf.position)
    conditions.push(alias => `${alias}.position <= ${then}::bigint`)
  }
  const isWanted = ['t.org = $2', 't.category = any($3::text[])', ...conditions.map(condition => condition('t'))]
  const text = `select c.position, c.stalled, ${selected('t', COLUMNS)} from ${checkpointsSql([auditLog])}
    left join lateral (select * from ${quoted(tableOf(auditLog))} t where ${isWanted.join(' and ')}
      order by t.position desc limit ${put(limit + 1)}) t on true
    order by t.position desc`
  return { of: [auditLog], text, values }
}
