/** What webhooks and their deliveries look like in PostgreSQL: where the sender finds its work. */
import { deliveries } from '../../projections/apps/deliveries.ts'
import { webhooks } from '../../projections/apps/webhooks.ts'
import { wantedNotifications } from '../../projections/hub/notifications.ts'
import { bucketOf } from '../../projections/rows/bucket.ts'
import type { AnyProjection } from '../../projections/rows/projection.ts'
import { tableOf } from '../../projections/rows/tables.ts'
import { wireTypes } from '../../read-api/consistency.ts'
import { type Announced, announcedOf } from '../../read-api/live/announced.ts'
import { newEventsSql, PAGE_ROWS } from '../../read-api/live/statements.ts'
import type { ReadPool } from '../../read-api/pool.ts'
import { type Guards, granteesOf, readable } from '../../read-api/readers.ts'
import type { Pool } from '../postgres.ts'
import type { Thing } from '../things.ts'

/** Attempts that one look brings, and how many of them are of one webhook. */
const LOOK_MAX = 512
const LOOK_MAX_OF_ONE = 64
/** Parked deliveries that one look asks for again. */
const REPLAYS_MAX = 200

/**
 * A webhook that deliveries are requested for. `upto`: position of the last event that one was requested for, and of
 * the last notification. `isToldOfNotifications`: whether it asks for those of its owner.
 */
export type Endpoint = Thing & {
  readonly upto: bigint
  readonly notifiedUpto: bigint
  readonly owner: string
  readonly isToldOfNotifications: boolean
}

/** A notification of the owner of a webhook, who wants it there. */
export type Notified = {
  readonly org: string
  readonly webhook: string
  readonly id: string
  readonly category: string
  readonly position: bigint
  readonly at: string
}

/** A delivery of a webhook. */
type Sent = Thing & { readonly webhook: string }

/** What is new for an org, up to a position; `isFull` where there is more. */
type News = { readonly events: readonly Announced[]; readonly upto: bigint; readonly isFull: boolean }

export type SenderRows = {
  readonly endpoints: () => Promise<readonly Endpoint[]>
  /** Events that can be read by now, for orgs with the positions after which they begin. */
  readonly news: (orgs: ReadonlyMap<string, bigint>) => Promise<ReadonlyMap<string, News>>
  /** Of events of an org, those whose things the owner of a webhook may read, who had some permissions. */
  readonly openTo: (
    endpoint: Endpoint,
    permissions: readonly string[],
    events: readonly Announced[],
  ) => Promise<readonly Announced[]>
  /** The notifications of the owners of webhooks, each behind a position, in order. */
  readonly notifications: (after: readonly (Endpoint & { readonly after: bigint })[]) => Promise<readonly Notified[]>
  /**
   * Deliveries whose time has come by an instant, without some and without those of the webhooks that rest. Of a thing
   * it is the earliest one that waits: what came later is sent later, to each webhook.
   */
  readonly due: (by: string, without: readonly string[], resting: readonly Thing[]) => Promise<readonly Sent[]>
  /** The time until the next delivery is due, in milliseconds; `Infinity` where none waits for a later time. */
  readonly nextIn: (now: string) => Promise<number>
  /** Deliveries that were parked when all parked ones of their webhook were `asked` for again. */
  readonly again: () => Promise<readonly (Sent & { readonly asked: bigint })[]>
}

const [hooks, sent] = [tableOf(webhooks), tableOf(deliveries)]

/** What deliveries of notifications are about, in the place of a category. */
export const NOTIFICATION = 'notification'
/** Notifications of one webhook that one look brings. */
const NOTIFICATIONS_MAX = 100

const last = (condition: string) => `greatest(w.since, coalesce((select max(d.event_position) from ${sent} d
    where d.org = w.org and d.webhook = w.id and d.category ${condition} '${NOTIFICATION}'), 0))`
const ENDPOINTS = `select w.org, w.id, w.owner, ${last('<>')} as upto,
    coalesce(w.categories @> '["${NOTIFICATION}"]', false) as is_told,
    case when w.categories @> '["${NOTIFICATION}"]' then ${last('=')} else 0 end as notified_upto
  from ${hooks} w where w.status in ('active', 'paused')`

const NOTIFICATIONS = `select e.org, e.webhook, n.id, n.category, n.position, n.at
  from unnest($1::text[], $2::text[], $3::text[], $4::bigint[]) e(org, webhook, owner, after)
  cross join lateral (select n.id, n.category, n.position, n.at from ${wantedNotifications('webhook')}
    where n.org = e.org and n."user" = e.owner and n.position > e.after
    order by n.position limit ${NOTIFICATIONS_MAX}) n order by n.position`

const DUE = `select org, id, webhook from (
    select d.org, d.id, d.webhook, d.due_at, row_number() over (partition by d.org, d.webhook order by d.due_at) as n
    from ${sent} d join ${hooks} w on w.org = d.org and w.id = d.webhook and w.status in ('active', 'removed')
    where d.status = 'waiting' and d.due_at <= $1 and d.id <> all ($2::text[])
    and not exists (select from unnest($3::text[], $4::text[]) r(org, id) where r.org = d.org and r.id = d.webhook)
    and not exists (select 1 from ${sent} e where e.org = d.org and e.webhook = d.webhook and e.category = d.category
      and e.thing = d.thing and e.status = 'waiting' and e.event_position < d.event_position)) due
  where n <= ${LOOK_MAX_OF_ONE} order by due_at limit ${LOOK_MAX}`

const NEXT = `select min(due_at) as at from ${sent} where status = 'waiting' and due_at > $1`

const AGAIN = `select d.org, d.id, d.webhook, w.replayed_upto as asked
  from ${hooks} w join ${sent} d on d.org = w.org and d.webhook = w.id
  where w.replayed_upto is not null and d.status = 'parked' and d.parked_position < w.replayed_upto
  order by d.event_position limit ${REPLAYS_MAX}`

/** `projections`: the read models that must have passed an event before it is sent to anybody. */
export function senderRows(
  pool: Pick<Pool, 'query'>,
  projections: readonly AnyProjection[],
  guards: Guards,
): SenderRows {
  const newEvents = newEventsSql(projections)
  return {
    async endpoints() {
      const { rows } = await pool.query({ name: 'webhooks', text: ENDPOINTS })
      return rows.map(({ notified_upto: notifiedUpto, is_told: isToldOfNotifications, ...row }) => ({
        ...row,
        notifiedUpto,
        isToldOfNotifications,
      }))
    },
    async notifications(after) {
      const columns = [after.map(({ org }) => org), after.map(({ id }) => id), after.map(({ owner }) => owner)]
      const values = [...columns, after.map(each => String(each.after))]
      return (await pool.query<Notified>({ name: 'owners_notifications', text: NOTIFICATIONS, values })).rows
    },
    async news(orgs) {
      const names = [...orgs.keys()]
      const values = [names, names.map(bucketOf), [...orgs.values()].map(String)]
      const { rows } = await pool.query({ text: newEvents, values, rowMode: 'array', types: wireTypes })
      const news = new Map<string, News>()
      for (const org of names) {
        const own = (rows as unknown[][]).filter(([name]) => name === org)
        const events = own.filter(values => values[2] !== null).map(values => announcedOf(values, 2))
        const isFull = events.length === PAGE_ROWS
        if (own.length === 0) continue
        news.set(org, { events, isFull, upto: isFull ? events.at(-1)!.position : BigInt(own[0]![1] as string) })
      }
      return news
    },
    async openTo({ org, owner }, permissions, events) {
      const things = events.map(({ category, id, row: { data } }) => ({ category, id, data }))
      const open = await readable(
        { guards, pool: pool as ReadPool },
        org,
        granteesOf({ subject: owner, permissions }),
        things,
      )
      return events.filter((_, at) => open[at])
    },
    async due(by, without, resting) {
      const values = [by, without, resting.map(({ org }) => org), resting.map(({ id }) => id)]
      return (await pool.query<Sent>({ name: 'due_deliveries', text: DUE, values })).rows
    },
    async nextIn(now) {
      const { rows } = await pool.query<{ at: string | null }>({ name: 'next_delivery', text: NEXT, values: [now] })
      const at = rows[0]?.at
      return at ? Date.parse(at) - Date.parse(now) : Number.POSITIVE_INFINITY
    },
    again: async () => (await pool.query({ name: 'replayed_deliveries', text: AGAIN })).rows,
  }
}
