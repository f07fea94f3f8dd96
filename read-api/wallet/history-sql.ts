/** The SQL of an account's history: its lines or its days, and what they add up to. */
import { z } from 'zod'
import { date, unsigned64 } from '../../domain/kernel/schema.ts'
import { EXTERNAL } from '../../domain/wallet/wallet/messages.ts'
import { auditLog } from '../../projections/audit/audit-log.ts'
import { type Fixed, rowAsOf } from '../../projections/rows/as-of.ts'
import { tableOf } from '../../projections/rows/tables.ts'
import { accountDays, USUAL_UNIT } from '../../projections/wallet/account-days.ts'
import { balances } from '../../projections/wallet/balances.ts'
import { postings } from '../../projections/wallet/postings.ts'
import { type AsOf, type Statement, withAuditLogSql } from '../consistency.ts'
import { placeOf as valuesIn } from '../cursor.ts'
import { invalidParameter, type Queries } from '../parameters.ts'
import { revisionSql, thingOf } from '../revision.ts'
import type { WireRow } from '../rows.ts'

const LINE = ['revision', 'line', 'entry', 'effective_on', 'posted_at', 'amount', 'balance', 'description'] as const
const DAY = ['date', 'lines', 'change', 'balance'] as const

/** What is added up: `credits` and `debits`, each in the unit of `places`, and how many `lines` they are. */
const POSTINGS = `(select *, greatest(amount, 0) as credits, greatest(-amount, 0) as debits, 1 as lines
    from ${tableOf(postings)})`
/** The same by effective day: as many rows as there are days, however many postings those have. */
const DAYS = `(select *, nullif(unit, '${USUAL_UNIT}')::int as places from ${tableOf(accountDays)})`

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
  readonly rows: (where: string, limit: string, source: string) => string
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

const ACCOUNT: Fixed = [
  ['org', '$2'],
  ['wallet', '$3'],
  ['account', '$4'],
  ['currency', '$5'],
]
const SCOPE = ACCOUNT.map(([column, value]) => `t.${column} = ${value}`).join(' and ')

const READ = [balances, postings, accountDays]
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
 * days where days are all that is asked about; the past, and the order of posting, are added up line by line.
 */
export function pageStatement(view: View, account: readonly string[], { query, limit, asOf }: Asked): Statement {
  const values: unknown[] = [...account]
  const put = (value: unknown) => `$${values.push(value) + 1}`
  const keys = view.keys.map(key => `t.${key}`).join(', ')
  const then = asOf && put(asOf.position)
  const source = then === undefined && view !== byPosting ? DAYS : POSTINGS
  const scope = [SCOPE]
  if (then !== undefined) scope.push(`t.position <= ${then}::bigint`)
  const known = accountSql(account[2]!, source, scope.join(' and '), then)
  if (query.effective_at !== undefined) scope.push(`t.effective_on <= ${put(query.effective_at)}`)
  const from = query.from === undefined ? undefined : `${view.day} >= ${put(query.from)}`
  const to = query.to === undefined ? undefined : `${view.day} <= ${put(query.to)}`
  const where = (...more: (string | undefined)[]) => [...scope, ...more].filter(Boolean).join(' and ')
  const sum = (of: string, condition: string) => `(select coalesce(sum(${NET}), 0) from ${of} t where ${condition})`
  let after: string | undefined
  let seen = '0::numeric'
  if (query.after !== undefined) {
    const place = placeOf(view, query, asOf).map(put)
    const upTo = `(${keys}) <= (${place.join(', ')})`
    after = `(${keys}) > (${place.join(', ')})`
    seen =
      source === DAYS && view !== byDay
        ? `${sum(DAYS, where(from, `t.effective_on < ${place[0]}`))} +
           ${sum(POSTINGS, where(from, `t.effective_on = ${place[0]}`, upTo))}`
        : sum(source, where(from, to, upTo))
  }
  const text = `with a as materialized (${known})
    select c.position, c.stalled, coalesce(a.known, false), a.places, b.opening, p.credits, p.debits, p.count,
      b.opening + b.seen, ${query.effective_at === undefined ? 'null::numeric' : sum(source, where())},
      ${revisionSql(WALLET, '$3', then === undefined ? 'c.position' : `${then}::bigint`)},
      ${view.columns.map(name => (name === 'balance' ? 'b.opening + b.seen + l.running' : `l.${name}`)).join(', ')}
    from ${withAuditLogSql(READ)} left join a on true
    cross join (select ${from === undefined ? '0::numeric' : sum(source, where(`not ${from}`))} as opening,
      ${seen} as seen) b
    cross join (select coalesce(sum(${inUnit('t.credits')}), 0) as credits,
      coalesce(sum(${inUnit('t.debits')}), 0) as debits, coalesce(sum(t.lines), 0)::int as count
      from ${source} t where ${where(from, to)}) p
    left join (
      select t.*, sum(t.amount) over (order by ${keys} rows unbounded preceding) as running
      from (${view.rows(where(from, to, after), put(limit + 1), source)}) t) l on true
    order by ${keys.replaceAll('t.', 'l.')}`
  return { of: [...READ, auditLog], text, values }
}

/** SQL of whether the account exists; an external account exists once something was posted to it. */
function accountSql(account: string, source: string, scope: string, then: string | undefined): string {
  if (!account.startsWith(EXTERNAL)) {
    const row =
      then === undefined ? `(select * from ${tableOf(balances)} t where ${SCOPE})` : rowAsOf(balances, ACCOUNT, then)
    return `select true as known, t.places, ('1e' || (t.places - t.minor_places))::numeric as usual from ${row} t`
  }
  // The minor unit never changes: the current one holds for every position.
  return `select known, places, coalesce(('1e' || (places - minor))::numeric, 1) as usual from (
      select exists(select from ${source} t where ${scope}) as known, max(p.minor_places) as minor,
        greatest(max(p.minor_places), (select max(t.places) from ${source} t where ${scope})) as places
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
