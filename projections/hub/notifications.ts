import type { z } from 'zod'
import { type Channel, KINDS, type Kind } from '../../domain/hub/inbox/kinds.ts'
import type { DomainEvent } from '../../domain/kernel/event.ts'
import { id, object, oneOf, text, timestamp, unsigned64 } from '../../domain/kernel/schema.ts'
import { eventData } from '../rows/event-data.ts'
import { type AnyHandler, type Handlers, projection } from '../rows/projection.ts'
import { quoted, tableOf } from '../rows/tables.ts'
import { inboxes } from './inboxes.ts'
import { ENDINGS, RULES, type Rule, vocabularies } from './rules.ts'

const row = object({
  org: id('org'),
  id: text(64).meta({ description: 'names the notification' }),
  user: text(128),
  kind: oneOf(...KINDS)
    .optional()
    .meta({ description: 'what it is of; none while the thing that the user began has not ended' }),
  category: text(64),
  thing: id('thing').meta({ description: 'id of the thing that it is about' }),
  type: text(255),
  actor: text(128),
  data: eventData,
  position: unsigned64,
  at: timestamp,
  read_at: timestamp.optional(),
})
type Row = z.output<typeof row>

const rulesOf = new Map<string, Rule[]>()
for (const [type, rule] of RULES) rulesOf.set(type, [...(rulesOf.get(type) ?? []), rule])

/** The users that an event notifies, each once, with the kind; not of what they do themselves. */
function notified({ type, data, metadata: { actor } }: DomainEvent): ReadonlyMap<string, Kind> {
  const kinds = new Map<string, Kind>()
  for (const { kind, to } of rulesOf.get(type) ?? []) {
    for (const user of to(data as never)) {
      if (user && user !== actor.subject && !kinds.has(user)) kinds.set(user, kind)
    }
  }
  return kinds
}

const rowOf = (event: DomainEvent, id: string, user: string, kind: Kind | undefined): Row => ({
  org: event.metadata.org,
  id,
  user,
  kind,
  category: event.category,
  thing: event.metadata.id,
  type: event.type,
  actor: event.metadata.actor.subject,
  data: event.data as Row['data'],
  position: event.position,
  at: event.metadata.at,
})

const SYSTEM = 'process:'
const isSystem = (subject: string) => subject.startsWith(SYSTEM)

/** One row for each user that the event names; the id is that of the event with the user's number. */
const names: AnyHandler = {
  keys: event => [...notified(event).keys()].map((_, n) => ({ org: event.metadata.org, id: `${event.eventId}.${n}` })),
  fold(before, event, { id: name }) {
    const [user, kind] = [...notified(event)][Number(String(name).split('.')[1])]!
    return before ?? rowOf(event, String(name), user, kind)
  },
}

/** The id of the notification of the end of the event's thing. */
const endOf = ({ stream, category, metadata }: DomainEvent) => [
  { org: metadata.org, id: `${stream.slice(category.length + 1)}.end` },
]
/** Who began a thing, or caused it to begin; nobody for a part of another thing, whose end is told. */
const beginnerOf = ({ metadata: { behalf, actor }, data }: DomainEvent): string =>
  (data as { readonly batch?: object }).batch ? SYSTEM : (behalf ?? actor).subject
const begins: AnyHandler = {
  keys: event => (isSystem(beginnerOf(event)) ? [] : endOf(event)),
  fold: (before, event, { id: name }) => before ?? rowOf(event, String(name), beginnerOf(event), undefined),
}
const ends = (kind: Kind | null, isOwnNews = false): AnyHandler => ({
  keys: endOf,
  fold(before: Row | undefined, event, { id: name }) {
    if (!before || kind === null) return null
    if (!isOwnNews && event.metadata.actor.subject === before.user) return null
    return before.kind === undefined ? rowOf(event, String(name), before.user, kind) : before
  },
})

const reads: AnyHandler = {
  keys: ({ data, metadata: { org } }) => [{ org, id: data.notification }],
  fold: (before: Row | undefined, { metadata }) =>
    before && before.user === metadata.id && before.kind !== undefined
      ? { ...before, read_at: before.read_at ?? metadata.at }
      : (before ?? null),
}

/** What the rules make of each event of the vocabularies, `null` where they say nothing of it. */
const handlers = Object.fromEntries(
  Object.values<object>(vocabularies)
    .flatMap(Object.keys)
    .map((type): [string, AnyHandler | null] => [type, rulesOf.has(type) ? names : null]),
)
for (const ending of ENDINGS) {
  for (const type of ending.begins) handlers[type] = begins
  for (const [type, kind] of Object.entries(ending.ends)) handlers[type] = ends(kind, ending.isOwnNews)
}

/**
 * One row for each notification of a user, by the rules, and one for each thing that a user began and that has not
 * ended. `read_at` says that it was marked by itself; the inbox says up to where all are read.
 */
export const notifications = projection({
  name: 'notifications',
  service: 'hub',
  version: 6,
  history: false,
  of: vocabularies,
  row,
  key: ['org', 'id'],
  indexes: [
    ['org', 'user', 'position'],
    ['org', 'position'],
  ],
  on: { ...handlers, NotificationRead: reads } as Handlers<Row, never>,
})

/**
 * SQL of the notifications `n` that their users want on a channel: what is of a kind that is not wanted there is left
 * out for as long as that is so. `read` says whether they have read it.
 */
export const wantedNotifications = (channel: Channel): string => `(select n.*,
    (n.read_at is not null or n.position <= coalesce(i.read_to, 0)) as read from ${quoted(tableOf(notifications))} n
  left join ${quoted(tableOf(inboxes))} i on i.org = n.org and i.id = n."user"
  where n.kind is not null and not coalesce(i.preferences, '[]') @> jsonb_build_array(
    jsonb_build_object('kind', n.kind, 'channel', '${channel}', 'wanted', false))) n`
