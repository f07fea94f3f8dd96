/** What the readable part of an export reads from the read models, as they stood at the end of its period. */
import type { Pool, PoolClient } from 'pg'
import { canonicalJson } from '../../../domain/kernel/json.ts'
import { hasHistory, tableAsOf } from '../../../projections/rows/as-of.ts'
import { bucketOf } from '../../../projections/rows/bucket.ts'
import type { AnyProjection } from '../../../projections/rows/projection.ts'
import { columnsOf, historyTableOf, quoted, quotedList, tableOf } from '../../../projections/rows/tables.ts'
import { balances } from '../../../projections/wallet/balances.ts'
import { postings } from '../../../projections/wallet/postings.ts'

export type Client = Pick<PoolClient, 'query'>
export type Cells = readonly unknown[]

const ROWS_PER_FETCH = 1_000
const ORG = [['org', '$1']] as const

/** Things by category, whose rows alone are wanted; all rows where it is absent. */
export type Things = ReadonlyMap<string, ReadonlySet<string>>

/** The read model that has not come to a position yet, `undefined` where all have. */
export async function lagging(
  client: Pick<Pool, 'query'>,
  models: readonly AnyProjection[],
  { org, position }: { readonly org: string; readonly position: bigint },
): Promise<string | undefined> {
  const { rows } = await client.query<{ name: string }>(
    `select p.name from unnest($2::text[], $3::int[]) p(name, version)
      where not exists (select from checkpoints c where c.bucket = $1 and c.projection = p.name
        and c.version = p.version and c.position >= $4::bigint) limit 1`,
    [bucketOf(org), models.map(({ name }) => name), models.map(({ version }) => version), String(position)],
  )
  return rows[0]?.name
}

/** Whether the rows of a read model at an earlier position can be told, and one of some things alone where wanted. */
export function isTold(model: AnyProjection, things: Things | undefined): boolean {
  if (!hasHistory(model)) return false
  return things === undefined || (categoryOf(model) !== undefined && model.key.join() === 'org,id')
}
const categoryOf = ({ of }: AnyProjection) => {
  const [category, ...others] = Object.keys(of)
  return others.length === 0 ? category : undefined
}

/** The rows of a read model of an org at a position, in the order of its key, a list at a time. */
export async function* rowsAt(
  client: Client,
  model: AnyProjection,
  { org, position, things }: { readonly org: string; readonly position: bigint; readonly things: Things | undefined },
): AsyncGenerator<readonly Cells[]> {
  const ids = things && [...(things.get(categoryOf(model)!) ?? [])]
  const only = ids ? 'where t.id = any($3::text[])' : ''
  const columns = columnsOf(model).map(({ name }) => `t.${quoted(name)}`)
  const order = model.key.map(name => `t.${quoted(name)}`)
  await client.query(
    `declare readable_rows no scroll cursor for select ${columns} from ${tableAsOf(model, ORG, '$2')} t ${only}
      order by ${order}`,
    [org, String(position), ...(ids ? [ids] : [])],
  )
  for (;;) {
    const { rows } = await client.query({ text: `fetch ${ROWS_PER_FETCH} from readable_rows`, rowMode: 'array' })
    if (rows.length > 0) yield rows as unknown as readonly Cells[]
    if (rows.length < ROWS_PER_FETCH) break
  }
  await client.query('close readable_rows')
}

/** An account over a period: what it had before, what came and went, and what it has at the end. */
export type AccountPeriod = {
  readonly wallet: string
  readonly account: string
  readonly currency: string
  readonly places: number
  readonly opening: bigint
  readonly credits: bigint
  readonly debits: bigint
  readonly closing: bigint
  readonly held: bigint
  readonly postings: number
  readonly status: string
}

type Seen = { org: string; after: bigint; position: bigint; things: Things | undefined }

/** The first accounts of an org, or of some wallets, over the events behind one position and up to another. */
export async function accountsOver(
  client: Client,
  { org, after, position, things }: Seen,
  limit: number,
): Promise<readonly AccountPeriod[]> {
  const wallets = things && [...(things.get('wallet') ?? [])]
  const { rows } = await client.query(
    `select b.wallet, b.account, b.currency, b.places, b.balance::text, b.held::text, b.status,
        coalesce(p.credits, 0)::text as credits, coalesce(p.debits, 0)::text as debits,
        coalesce(p.postings, 0)::int as postings
      from ${tableAsOf(balances, ORG, '$2')} b
      left join lateral (
        select sum(exact) filter (where exact > 0) as credits, sum(exact) filter (where exact < 0) as debits,
          count(*) as postings
        from (select trunc(amount * power(10::numeric, b.places - coalesce(places, b.minor_places))) as exact
          from ${tableOf(postings)} where org = $1 and wallet = b.wallet and account = b.account
            and currency = b.currency and position > $3::bigint and position <= $2::bigint) e
      ) p on true
      ${wallets ? 'where b.wallet = any($4::text[])' : ''}
      order by b.wallet, b.account, b.currency limit ${limit}`,
    [org, String(position), String(after), ...(wallets ? [wallets] : [])],
  )
  return rows.map(({ wallet, account, currency, places, balance, held, status, credits, debits, postings }) => {
    const [closing, came, went] = [BigInt(balance), BigInt(credits), BigInt(debits)]
    const opening = closing - came - went
    return {
      wallet,
      account,
      currency,
      places,
      opening,
      credits: came,
      debits: went,
      closing,
      held: BigInt(held),
      postings,
      status,
    }
  })
}

/** The fields of a thing that an event changed, from what to what. */
export type Change = { readonly field: string; readonly from: unknown; readonly to: unknown }
type Event = { readonly id: string; readonly position: string }

/** Columns that change with every event or never. */
const UNSAID = new Set(['org', 'id', 'revision', 'updated_at'])

/** What events changed of things of one read model, by the positions of the events. */
export async function changesOf(
  client: Client,
  model: AnyProjection,
  { org, events }: { readonly org: string; readonly events: readonly Event[] },
): Promise<ReadonlyMap<string, readonly Change[]>> {
  const columns = columnsOf(model).map(({ name }) => name)
  const versions = quoted(historyTableOf(model))
  const of = (alias: string) => columns.map(name => `${alias}.${quoted(name)}`)
  const { rows } = await client.query({
    rowMode: 'array',
    text: `select e.position::text, v._removed, b._removed, ${of('v')}, ${of('b')}
      from unnest($2::text[], $3::bigint[]) e(id, position)
      join ${versions} v on v.org = $1 and v.id = e.id and v._position = e.position
      left join lateral (select ${quotedList(columns)}, _removed from ${versions} b
        where b.org = $1 and b.id = e.id and b._position < e.position order by b._position desc limit 1) b on true`,
    values: [org, events.map(({ id }) => id), events.map(({ position }) => position)],
  })
  return new Map(
    (rows as unknown as readonly Cells[]).map(([position, isGone, wasGone, ...cells]) => {
      const after = isGone ? [] : cells.slice(0, columns.length)
      const before = wasGone ? [] : cells.slice(columns.length)
      const changes = columns.flatMap((field, at): readonly Change[] => {
        const [from, to] = [before[at] ?? null, after[at] ?? null]
        return UNSAID.has(field) || canonicalJson(from) === canonicalJson(to) ? [] : [{ field, from, to }]
      })
      return [String(position), changes]
    }),
  )
}
