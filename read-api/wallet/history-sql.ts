/** The SQL of an account's history: its lines or its days, and what they add up to. */
import { z } from 'zod'
import { date, unsigned64 } from '../../domain/kernel/schema.ts'
import { EXTERNAL } from '../../domain/wallet/wallet/messages.ts'
import { auditLog } from '../../projections/audit/audit-log.ts'
import { rowAsOf } from '../../projections/rows/as-of.ts'
import { tableOf } from '../../projections/rows/tables.ts'
import { accountBlocks } from '../../projections/wallet/account-blocks.ts'
import { accountDays } from '../../projections/wallet/account-days.ts'
import { balances } from '../../projections/wallet/balances.ts'
import { postings } from '../../projections/wallet/postings.ts'
import { type AsOf, type Statement, withAuditLogSql } from '../consistency.ts'
import { placeOf as valuesIn } from '../cursor.ts'
import { invalidParameter, type Queries } from '../parameters.ts'
import { revisionSql, thingOf } from '../revision.ts'
import type { WireRow } from '../rows.ts'
import { ACCOUNT, cutMonths, DAYS, KNOWN_DAYS, partsSql, SCOPE, withinSql } from './parts-sql.ts'

const LINE = ['revision', 'line', 'entry', 'effective_on', 'posted_at', 'amount', 'balance', 'description'] as const
const DAY = ['date', 'lines', 'change', 'balance'] as const

/** Postings with the columns that are added up by day. */
const LINES = `(select *, greatest(amount, 0) as credits, greatest(-amount, 0) as debits, 1 as lines
    from ${tableOf(postings)})`

/** SQL of an amount in the unit of the account: a line is as fine as it needs, the account as its finest line. */
const inUnit = (amount: string) => `${amount} * case when t.places is null then (select usual from a)
  else ('1e' || ((select places from a) - t.places))::numeric end`
const AMOUNT = inUnit('t.amount')
const NET = inUnit('(t.credits - t.debits)')

/**
 * One way to show the history of an account: the columns that order it, the day that `from` and `to` are compared with,
 * and its rows. Every view has a column `amount`, which the running balance adds up.
 */
export type View = {
  readonly name: string
  readonly keys: readonly ('effective_on' | 'revision' | 'line')[]
  readonly day: string
  readonly columns: readonly string[]
  /** SQL of the rows of a page without their running balance; `source` is what is added up. */
  readonly rows: (where: string, limit: string, source: string, period: PagePeriod) => string
}

/** SQL of the days that a page may have: those after `place`, if it has one, within bounds that may be absent. */
type PagePeriod = {
  readonly place: string | undefined
  readonly from: string | undefined
  /** The earlier of two last days. */
  readonly last: readonly string[]
  /** Conditions on a row `t` of the whole period. */
  readonly scope: string
}

const lines = (where: string, order: string, limit: string) =>
  `select t.revision, t.line, t.entry, t.effective_on, t.posted_at, ${AMOUNT} as amount, t.description
    from ${tableOf(postings)} t where ${where} order by ${order} limit ${limit}`

/** The lines by the date that their entries count for. */
export const byEffectiveDate: View = {
  name: 'statement_effective',
  keys: ['effective_on', 'revision', 'line'],
  day: 't.effective_on',
  columns: LINE,
  rows: (where, limit) => lines(where, 't.effective_on, t.revision, t.line', limit),
}

/** The lines in the order of posting. */
export const byPosting: View = {
  name: 'statement_posted',
  keys: ['revision', 'line'],
  day: 'left(t.posted_at, 10)',
  columns: LINE,
  rows: (where, limit) => lines(where, 't.revision, t.line', limit),
}

/** The days on which something counts. */
export const byDay: View = {
  name: 'end_of_day',
  keys: ['effective_on'],
  day: 't.effective_on',
  columns: DAY,
  rows: (where, limit, source) =>
    `select t.effective_on, t.effective_on as date, sum(t.lines)::int as lines, sum(${NET}) as amount,
      sum(${NET}) as change from ${source} t where ${where}
      group by t.effective_on order by t.effective_on limit ${limit}`,
}

/** Every day from the first one on, until the last one that is asked about or that something counts for. */
export const byEveryDay: View = {
  ...byDay,
  name: 'end_of_every_day',
  rows(where, limit, source, { place, from, last, scope }) {
    const first =
      place === undefined ? `coalesce(${from ?? 'null'}::date, min(t.effective_on)::date)` : `${place}::date + 1`
    const end = last.length > 0 ? `least(${last.join(', ')})::date` : 'max(t.effective_on)::date'
    // No last day is no day: `least` alone would pass over it.
    return `with p as materialized (
        select q.first, case when q.last is not null then least(q.last, q.first + ${limit}::int - 1) end as last from (
          select ${first} as first, ${end} as last, count(*) from ${source} t where ${scope}) q),
      s as (select t.effective_on, sum(t.lines)::int as lines, sum(${NET}) as change from ${source} t
        where ${where} and t.effective_on <= (select to_char(last, 'YYYY-MM-DD') from p) group by t.effective_on)
      select d.day as effective_on, d.day as date, coalesce(s.lines, 0) as lines, coalesce(s.change, 0) as amount,
        coalesce(s.change, 0) as change
      from p cross join lateral (
        select to_char(g, 'YYYY-MM-DD') as day from generate_series(p.first, p.last, interval '1 day') g) d
      left join s on s.effective_on = d.day order by d.day`
  },
}

const WALLET = thingOf(balances)!

type Asked = { readonly query: Queries; readonly limit: number; readonly asOf: AsOf | undefined }

/** Columns of the answer before those of a line, in order. */
export const HEAD = [
  'position',
  'stalled',
  'known',
  'places',
  'opening',
  'credits',
  'debits',
  'count',
  'page_opening',
  'balance',
  'revision',
] as const

/**
 * One statement: whether the account is there, what the period and the page begin with, what the period adds up to, and
 * the page with its running balance. Lines are filtered by position (`as_of`) and by day (`effective_at`). Sums are of
 * days where days are all that is asked about; the past, and the order of posting, are added up by blocks and months.
 */
export function pageStatement(view: View, account: readonly string[], { query, limit, asOf }: Asked): Statement {
  const values: unknown[] = [...account]
  const put = (value: unknown) => `$${values.push(value) + 1}`
  const given = (value: unknown) => (value === undefined ? undefined : put(value))
  const then = given(asOf?.position)
  const [from, to, at] = [given(query.from), given(query.to), given(query.effective_at)]
  const begins = query.after === undefined ? undefined : placeOf(view, query, asOf)
  const place = begins?.map(put)
  const keys = view.keys.map(key => `t.${key}`).join(', ')
  const isPosted = view === byPosting
  const ofDays = then === undefined && !isPosted
  const revision = isPosted ? place?.[0] : undefined
  const posted = isPosted ? { from, to } : {}
  const by = !isPosted ? 'days' : at === undefined ? 'posting' : 'both'
  const months = ofDays ? '' : put(monthsOf(query, isPosted, begins?.[0]))
  const bounds = { then, months, posted, revision, by } as const
  const day = isPosted ? 't.posted_on' : 't.effective_on'
  // Of the day on which a page of lines begins, the lines before it are added by themselves.
  const seen =
    place && (view === byEffectiveDate ? `t.effective_on < ${place[0]}` : `(${keys}) <= (${place.join(', ')})`)
  const scope = [SCOPE, ...withinSql(bounds), ...(then === undefined ? [] : KNOWN_DAYS)]
  if (at !== undefined) scope.push(`t.effective_on <= ${at}`)
  if (from !== undefined) scope.push(`${view.day} >= ${from}`)
  const begun = [...scope, place && `t.effective_on = ${place[0]}`, place && `(${keys}) <= (${place.join(', ')})`]
  if (to !== undefined) scope.push(`${view.day} <= ${to}`)
  const where = [...scope, place && `(${keys}) > (${place.join(', ')})`].filter(Boolean).join(' and ')
  const source = ofDays ? DAYS : LINES
  const last = [to, at].filter(end => end !== undefined)
  const period = { place: place?.[0], from, last, scope: scope.join(' and ') }
  const of = [balances, postings, ofDays ? accountDays : accountBlocks]
  const text = `with ${ofDays ? `parts as (select t.* from ${DAYS} t)` : partsSql(bounds)},
    sums as materialized (
      select ${at === undefined ? 'true' : `t.effective_on <= ${at}`} as is_at,
        ${from === undefined ? 'true' : `${day} >= ${from}`} as is_from,
        ${to === undefined ? 'true' : `${day} <= ${to}`} as is_to, ${seen ?? 'false'} as is_seen, t.places,
        sum(t.credits) as credits, sum(t.debits) as debits, sum(t.lines) as lines
      from parts t group by 1, 2, 3, 4, 5),
    a as materialized (${accountSql(account[2]!, then)})
    select c.position, c.stalled, coalesce(a.known, false), a.places, b.opening, b.credits, b.debits, b.count,
      b.opening + b.seen, ${at === undefined ? 'null::numeric' : 'b.balance'},
      ${revisionSql(WALLET, '$3', then === undefined ? 'c.position' : `${then}::bigint`)},
      ${view.columns.map(name => (name === 'balance' ? 'b.opening + b.seen + l.running' : `l.${name}`)).join(', ')}
    from ${withAuditLogSql(of)} left join a on true
    cross join (select ${SUMS}${seen && view === byEffectiveDate ? ` + ${sumSql(begun)}` : ''} as seen from sums t) b
    left join (
      select t.*, sum(t.amount) over (order by ${keys} rows unbounded preceding) as running
      from (${view.rows(where, put(limit + 1), source, period)}) t) l on true
    order by ${keys.replaceAll('t.', 'l.')}`
  return { of: [...of, auditLog], text, values }
}

/** The months that a question cuts through; `place`: the effective day at which its page begins. */
function monthsOf({ from, to, effective_at }: Queries, isPosted: boolean, place: string | undefined): string[] {
  const last = [effective_at, isPosted ? undefined : to].filter(day => day !== undefined)
  if (isPosted) return cutMonths({ last })
  return cutMonths({ last, ...(from !== undefined && { first: from }), ...(place !== undefined && { at: place }) })
}

const total = (of: string, condition: string) => `coalesce(sum(${of}) filter (where t.is_at and ${condition}), 0)`
const SUMS = `${total(NET, 'true')} as balance, ${total(NET, 'not t.is_from')} as opening,
      ${total(inUnit('t.credits'), 't.is_from and t.is_to')} as credits,
      ${total(inUnit('t.debits'), 't.is_from and t.is_to')} as debits,
      ${total('t.lines', 't.is_from and t.is_to')}::int as count, ${total(NET, 't.is_from and t.is_to and t.is_seen')}`

const sumSql = (conditions: readonly (string | undefined)[]) =>
  `(select coalesce(sum(${AMOUNT}), 0) from ${tableOf(postings)} t where ${conditions.filter(Boolean).join(' and ')})`

/** SQL of whether the account exists; an external account exists once something was posted to it. */
function accountSql(account: string, then: string | undefined): string {
  if (!account.startsWith(EXTERNAL)) {
    const row =
      then === undefined ? `(select * from ${tableOf(balances)} t where ${SCOPE})` : rowAsOf(balances, ACCOUNT, then)
    return `select true as known, t.places, ('1e' || (t.places - t.minor_places))::numeric as usual from ${row} t`
  }
  // The minor unit never changes: the current one holds for every position.
  return `select known, places, coalesce(('1e' || (places - minor))::numeric, 1) as usual from (
      select exists(select from sums) as known, max(p.minor_places) as minor,
        greatest(max(p.minor_places), (select max(places) from sums)) as places
      from ${tableOf(balances)} p where p.org = $2 and p.wallet = $3 and p.currency = $5) p`
}

/** The cursor's place. It must lie in the period, because the balance before the page is added up from there. */
function placeOf({ name, keys }: View, { after, from, to, effective_at }: Queries, asOf: AsOf | undefined): string[] {
  const schemas = keys.map(key => KEY_SCHEMAS[key])
  const place = valuesIn(after!, name, schemas, asOf).map(String)
  const day = keys[0] === 'effective_on' ? place[0]! : undefined
  const last = [to, effective_at].filter(end => end !== undefined).sort()[0]
  if (day !== undefined && ((from !== undefined && day < from) || (last !== undefined && day > last))) {
    throw invalidParameter('after', 'must be the `next` of a page of the same period')
  }
  return place
}

const KEY_SCHEMAS = {
  effective_on: date,
  revision: unsigned64,
  line: z.string().regex(/^(0|[1-9][0-9]{0,2})$/),
} as const

/** The place of a row in the order of a view. */
export const keysOf = ({ keys }: View, row: WireRow): string[] =>
  keys.map(key => String(key === 'effective_on' ? (row.effective_on ?? row.date) : row[key]))
