/** What mails and the notifications in them look like in PostgreSQL: where the mailer finds its work. */
import { inboxes } from '../../projections/hub/inboxes.ts'
import { mails } from '../../projections/hub/mails.ts'
import { notifications, wantedNotifications } from '../../projections/hub/notifications.ts'
import { bucketOf } from '../../projections/rows/bucket.ts'
import { quoted, tableOf } from '../../projections/rows/tables.ts'
import { checkpointsSql, wireTypes } from '../../read-api/consistency.ts'
import { wireRow } from '../../read-api/rows.ts'
import type { Pool } from '../postgres.ts'

/** Notifications that one look brings of an inbox, and mails whose time has come. */
const FRESH_MAX = 20
const DUE_MAX = 32
/** Notifications that one mail lists. */
export const LISTED_MAX = 100

/** A notification that is to be e-mailed by itself. */
export type Fresh = {
  readonly org: string
  readonly user: string
  readonly id: string
  readonly position: bigint
}

/** A mail whose time has come. */
export type DueMail = { readonly org: string; readonly id: string; readonly requested_at: string }

/** What a mail tells of. */
type Told = { readonly org: string; readonly user: string; readonly upTo: bigint; readonly isDigest: boolean }

export type MailRows = {
  /** Notifications behind the last mail of their users, of those who have an address and no digest. */
  readonly fresh: () => Promise<readonly Fresh[]>
  /** Mails whose time has come by an instant, without some. */
  readonly due: (by: string, without: readonly string[]) => Promise<readonly DueMail[]>
  /** Unread notifications that a mail tells of, oldest first; `undefined` while rows do not reach up to there. */
  readonly told: (mail: Told) => Promise<readonly Record<string, unknown>[] | undefined>
}

const [boxes, sent] = [quoted(tableOf(inboxes)), quoted(tableOf(mails))]
/** SQL of the position up to which a user was told by e-mail, before the one of `condition`. */
const toldUpto = (org: string, user: string, condition = 'true') =>
  `coalesce((select max(m.up_to) from ${sent} m where m.org = ${org} and m."user" = ${user} and ${condition}), 0)`

const FRESH = `select n.org, n."user", n.id, n.position from ${boxes} i
  cross join lateral (select n.org, n."user", n.id, n.position from ${wantedNotifications('email')}
    where n.org = i.org and n."user" = i.id and not n.read
      and n.position > greatest(i.email_since, ${toldUpto('i.org', 'i.id')})
    order by n.position limit ${FRESH_MAX}) n
  where i.email_since is not null and i.digest is null order by n.position`

const DUE = `select org, id, requested_at from ${sent}
  where status = 'waiting' and due_at <= $1 and id <> all ($2::text[]) order by due_at limit ${DUE_MAX}`

const COLUMNS = ['id', 'kind', 'category', 'thing', 'type', 'actor', 'position', 'at', 'data']
const OF = [notifications, inboxes, mails]
const TOLD = `select c.position, ${COLUMNS.map(name => `n.${quoted(name)}`).join(', ')} from ${checkpointsSql(OF)}
  left join lateral (select n.* from ${wantedNotifications('email')}
    where n.org = $2 and n."user" = $3 and not n.read and n.position <= $4::bigint
      and n.position > case when $5::boolean then greatest((select i.email_since from ${boxes} i
        where i.org = $2 and i.id = $3), ${toldUpto('$2', '$3', 'm.up_to < $4::bigint')}) else $4::bigint - 1 end
    order by n.position limit ${LISTED_MAX + 1}) n on true order by n.position`

export const mailRows = (pool: Pick<Pool, 'query'>): MailRows => ({
  fresh: async () => (await pool.query<Fresh>({ name: 'fresh_notifications', text: FRESH })).rows,
  due: async (by, without) => (await pool.query<DueMail>({ name: 'due_mails', text: DUE, values: [by, without] })).rows,
  async told({ org, user, upTo, isDigest }) {
    const values = [bucketOf(org), org, user, String(upTo), isDigest]
    const { rows } = await pool.query({ text: TOLD, values, rowMode: 'array', types: wireTypes })
    const found = rows as unknown as readonly (readonly unknown[])[]
    if (BigInt(found[0]![0] as string) < upTo) return undefined
    return found.filter(values => values[1] !== null).map(values => wireRow(COLUMNS, values, 1))
  },
})
