/** What webhooks and their deliveries look like in PostgreSQL: where the sender finds its work. */
import { deliveries } from '../../projections/apps/deliveries.ts'
import { webhooks } from '../../projections/apps/webhooks.ts'
import { bucketOf } from '../../projections/rows/bucket.ts'
import type { AnyProjection } from '../../projections/rows/projection.ts'
import { tableOf } from '../../projections/rows/tables.ts'
import { wireTypes } from '../../read-api/consistency.ts'
import { type Announced, announcedOf } from '../../read-api/live/announced.ts'
import { newEventsSql, PAGE_ROWS } from '../../read-api/live/statements.ts'
import type { Pool } from '../postgres.ts'

/** Attempts that one look brings, and how many of them are of one webhook. */
const LOOK_MAX = 64
const LOOK_MAX_OF_ONE = 4
/** Parked deliveries that one look asks for again. */
const REPLAYS_MAX = 200

export type Thing = { readonly org: string; readonly id: string }

/** A webhook that is not removed. `upto`: position of the last event that a delivery was requested for. */
export type Endpoint = Thing & { readonly upto: bigint }

/** A delivery of a webhook. */
type Sent = Thing & { readonly webhook: string }

/** What is new for an org, up to a position; `isFull` where there is more. */
type News = { readonly events: readonly Announced[]; readonly upto: bigint; readonly isFull: boolean }

export type SenderRows = {
  readonly endpoints: () => Promise<readonly Endpoint[]>
  /** Events that can be read by now, for orgs with the positions after which they begin. */
  readonly news: (orgs: ReadonlyMap<string, bigint>) => Promise<ReadonlyMap<string, News>>
  /**
   * Deliveries whose time has come by an instant, without some. Of a thing it is the earliest one that waits: what
   * came later is sent later, to each webhook.
   */
  readonly due: (by: string, without: readonly string[]) => Promise<readonly Sent[]>
  /** Deliveries that were parked when all parked ones of their webhook were `asked` for again. */
  readonly again: () => Promise<readonly (Sent & { readonly asked: bigint })[]>
}

const [hooks, sent] = [tableOf(webhooks), tableOf(deliveries)]

const ENDPOINTS = `select w.org, w.id, greatest(w.since, coalesce((select max(d.event_position)
    from ${sent} d where d.org = w.org and d.webhook = w.id), 0)) as upto
  from ${hooks} w where w.status <> 'removed'`

const DUE = `select org, id, webhook from (
    select d.org, d.id, d.webhook, d.due_at, row_number() over (partition by d.org, d.webhook order by d.due_at) as n
    from ${sent} d join ${hooks} w on w.org = d.org and w.id = d.webhook and w.status <> 'paused'
    where d.status = 'waiting' and d.due_at <= $1 and d.id <> all ($2::text[])
    and not exists (select 1 from ${sent} e where e.org = d.org and e.webhook = d.webhook and e.category = d.category
      and e.thing = d.thing and e.status = 'waiting' and e.event_position < d.event_position)) due
  where n <= ${LOOK_MAX_OF_ONE} order by due_at limit ${LOOK_MAX}`

const AGAIN = `select d.org, d.id, d.webhook, w.replayed_upto as asked
  from ${hooks} w join ${sent} d on d.org = w.org and d.webhook = w.id
  where w.replayed_upto is not null and d.status = 'parked' and d.parked_position < w.replayed_upto
  order by d.event_position limit ${REPLAYS_MAX}`

/** `projections`: the read models that must have passed an event before it is sent to anybody. */
export function senderRows(pool: Pick<Pool, 'query'>, projections: readonly AnyProjection[]): SenderRows {
  const newEvents = newEventsSql(projections)
  return {
    endpoints: async () => (await pool.query<Endpoint>({ name: 'webhooks', text: ENDPOINTS })).rows,
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
    due: async (by, without) => (await pool.query({ name: 'due_deliveries', text: DUE, values: [by, without] })).rows,
    again: async () => (await pool.query({ name: 'replayed_deliveries', text: AGAIN })).rows,
  }
}
