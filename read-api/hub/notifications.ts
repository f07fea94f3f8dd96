/** `GET /khub/notifications` and `GET /khub/inbox`: what the caller was notified of, and how much of it is unread. */
import { z } from 'zod'
import { CHANNELS, KINDS } from '../../domain/hub/inbox/kinds.ts'
import type { ApiRequest, Parameter, Route } from '../../domain/kernel/route.ts'
import { boolean, integer, oneOf, type Sealed, text, timestamp, unsigned64 } from '../../domain/kernel/schema.ts'
import { inboxes } from '../../projections/hub/inboxes.ts'
import { notifications, wantedNotifications } from '../../projections/hub/notifications.ts'
import { quoted, tableOf } from '../../projections/rows/tables.ts'
import { noHistoryErrors } from '../as-of.ts'
import { checkpointsSql, positioned, read, readErrors, tokenOf } from '../consistency.ts'
import { cursorOf, placeOf } from '../cursor.ts'
import {
  inQuery,
  LIMIT_DEFAULT,
  listed,
  pageParameters,
  type Queries,
  queriesOf,
  severalInQuery,
  tokenParameters,
} from '../parameters.ts'
import { type Unseal, wireRow } from '../rows.ts'
import { type ActivityDeps, openTo, sentenceFields } from './activity.ts'
import { type Happening, sentencesOf } from './sentences.ts'

const { id, category, thing, type, actor, position, at } = notifications.row.shape
const kind = oneOf(...KINDS)
const notificationSchema = z.strictObject({
  id,
  kind,
  ...sentenceFields,
  category,
  thing,
  type,
  actor,
  position,
  at,
  read: boolean,
})
const count = integer(0, 2 ** 31 - 1)
const inboxSchema = z.strictObject({
  unread: count,
  kinds: z.array(z.strictObject({ kind, unread: count, ...Object.fromEntries(CHANNELS.map(name => [name, boolean])) })),
  read_to: unsigned64,
  email: text(254).nullable().optional().meta({ description: 'where notifications are e-mailed to' }),
  digest: inboxes.row.shape.digest,
  updated_at: timestamp.optional(),
})

const COLUMNS = ['id', 'kind', 'category', 'thing', 'type', 'actor', 'position', 'at', 'data']
const OF = [notifications, inboxes]
const LIST = 'notifications'

/** SQL of the caller's notifications, for `$2` the org, `$3` the user and `$4` the categories that they may read. */
const OWN = `${wantedNotifications('in_app')} where n.org = $2 and n."user" = $3 and n.category = any($4::text[])`

const parameters: readonly Parameter[] = [
  inQuery('read', z.enum(['true', 'false']), 'only those that are read, or only those that are not'),
  severalInQuery('kind', kind, 'only those of these kinds'),
  ...pageParameters,
  ...tokenParameters,
]

const shared = { method: 'GET', permission: 'signed in', tag: 'khub' } as const
const errors = { ...noHistoryErrors, ...readErrors }

type InboxDeps = ActivityDeps & { readonly unseal: Unseal }

/** The routes of the caller's notifications. */
export const notificationRoutes = (deps: InboxDeps): Route[] => [
  {
    ...shared,
    path: '/khub/notifications',
    operationId: 'listNotifications',
    summary: 'What the caller was notified of, newest first, as far as they may read the things.',
    parameters,
    response: z.array(notificationSchema),
    errors,
    handle: request => listOf(deps, request),
  },
  {
    ...shared,
    path: '/khub/inbox',
    operationId: 'getUnread',
    summary:
      'How many notifications of the caller are unread, which kinds they want, and where and when they are e-mailed.',
    parameters: tokenParameters,
    response: inboxSchema,
    errors,
    handle: request => inboxOf(deps, request),
  },
]

async function listOf(deps: ActivityDeps, request: ApiRequest) {
  const query = queriesOf(request, parameters)
  const open = openTo(deps, request.principal)
  const wanted = { token: tokenOf(request, query) }
  const limit = Number(query.limit ?? LIMIT_DEFAULT)
  const { rows, position: reached } = await read(deps, request, page(request, open, query, limit), wanted)
  const columns = [...COLUMNS, 'read']
  const found = rows[0]![2] === null ? [] : rows.slice(0, limit).map(values => wireRow(columns, values, 2))
  const happenings = found.map(row => ({ ...row, id: row.thing }) as unknown as Happening)
  const sentences = await sentencesOf(deps, request, happenings, { kinds: deps.kinds, open, wanted })
  const last = rows.length > limit ? found.at(-1) : undefined
  const next = last && cursorOf(LIST, [last.position])
  return {
    data: found.map(({ data: _, ...row }, n) => {
      const parts = sentences[n]!
      return { ...row, text: parts.map(part => part.text).join(''), parts }
    }),
    pagination: { limit, has_more: next !== undefined, ...(next !== undefined && { next }) },
    ...positioned(reached),
  }
}

function page({ principal }: ApiRequest, open: ReadonlySet<string>, query: Queries, limit: number) {
  const values: unknown[] = [principal.org, principal.subject, [...open]]
  const put = (value: unknown) => `$${values.push(value) + 1}`
  const more = [
    ...(query.read === undefined ? [] : [`n.read = ${query.read}`]),
    ...(query.kind === undefined ? [] : [`n.kind = any(${put(listed(query.kind))}::text[])`]),
    ...(query.after === undefined ? [] : [`n.position < ${put(placeOf(query.after, LIST, [position])[0])}::bigint`]),
  ]
  const columns = COLUMNS.map(name => `n.${quoted(name)}`).join(', ')
  const text = `select c.position, c.stalled, ${COLUMNS.map(name => `t.${quoted(name)}`).join(', ')}, t.read
    from ${checkpointsSql(OF)} left join lateral (select ${columns}, n.read from ${OWN}
      ${more.map(condition => `and ${condition}`).join(' ')}
      order by n.position desc limit ${put(limit + 1)}) t on true
    order by t.position desc`
  return { of: OF, text, values }
}

async function inboxOf(deps: InboxDeps, request: ApiRequest) {
  const { org, subject } = request.principal
  const query = queriesOf(request, tokenParameters)
  const text = `select c.position, c.stalled, i.read_to, i.updated_at, i.preferences, u.counts, i.email, i.digest
    from ${checkpointsSql(OF)} left join ${quoted(tableOf(inboxes))} i on i.org = $2 and i.id = $3
    cross join lateral (select coalesce(jsonb_object_agg(kind, count), '{}') as counts from (
      select n.kind, count(*) as count from ${OWN} and not n.read group by n.kind) k) u`
  const values = [org, subject, [...openTo(deps, request.principal)]]
  const { rows, position: reached } = await read(
    deps,
    request,
    { of: OF, text, values },
    { token: tokenOf(request, query) },
  )
  const [, , readTo, updatedAt, said, counts, sealed, digest] = rows[0]!
  const [email] = sealed === null ? [] : await deps.unseal(org, [sealed as Sealed])
  const preferences = (said ?? []) as readonly { kind: string; channel: string; wanted: boolean }[]
  const wants = (kind: string, channel: string) =>
    preferences.find(each => each.kind === kind && each.channel === channel)?.wanted ?? true
  const unread = counts as Readonly<Record<string, number>>
  return {
    data: {
      unread: Object.values(unread).reduce((sum, each) => sum + each, 0),
      kinds: KINDS.map(kind => ({
        kind,
        unread: unread[kind] ?? 0,
        ...Object.fromEntries(CHANNELS.map(channel => [channel, wants(kind, channel)])),
      })),
      read_to: readTo ?? '0',
      ...(sealed !== null && { email: email ?? null }),
      ...(digest !== null && { digest }),
      ...(updatedAt !== null && { updated_at: updatedAt }),
    },
    ...positioned(reached),
  }
}
