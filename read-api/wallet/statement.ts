import { z } from 'zod'
import { KogiError } from '../../domain/kernel/errors.ts'
import type { ApiRequest, ApiResponse, Parameter, Route } from '../../domain/kernel/route.ts'
import { date, integer, list, minorUnits, object, oneOf, unsigned64 } from '../../domain/kernel/schema.ts'
import { EXTERNAL } from '../../domain/wallet/wallet/messages.ts'
import { auditLog } from '../../projections/audit/audit-log.ts'
import { type Fixed, rowAsOf } from '../../projections/rows/as-of.ts'
import { tableOf } from '../../projections/rows/tables.ts'
import { balances } from '../../projections/wallet/balances.ts'
import { postings } from '../../projections/wallet/postings.ts'
import { asOfErrors, asOfParameter, wantedOf } from '../as-of.ts'
import { type AsOf, type ReadStore, read, readErrors, type Statement, withAuditLogSql } from '../consistency.ts'
import { cursorOf, placeOf as valuesIn } from '../cursor.ts'
import {
  fromPath,
  inQuery,
  invalidParameter,
  LIMIT_DEFAULT,
  LIMIT_MAX,
  pageParameters,
  type Queries,
  queriesOf,
  tokenParameters,
} from '../parameters.ts'
import { ifNoneMatch, revisionSql, taggedAt, thingOf } from '../revision.ts'
import { type WireRow, wireRow } from '../rows.ts'

const { shape } = postings.row
const LINE = ['revision', 'line', 'entry', 'effective_on', 'posted_at', 'amount', 'balance', 'description'] as const
const DAY = ['date', 'lines', 'change', 'balance'] as const

/**
 * One way to show the history of an account: the columns that order it, the day that `from` and `to` are compared with,
 * and its rows. Every view has a column `amount`, which the running balance adds up.
 */
type View = {
  readonly name: string
  readonly keys: readonly ('effective_on' | 'revision' | 'line')[]
  readonly day: string
  readonly columns: readonly string[]
  /** SQL of the rows of a page without their running balance. */
  readonly rows: (where: string, limit: string) => string
}

/** A line's amount in the unit of the account: a line is as fine as it needs, the account as its finest line. */
const AMOUNT = `t.amount * case when t.places is null then (select usual from a)
  else ('1e' || ((select places from a) - t.places))::numeric end`

const lines = (where: string, order: string, limit: string) =>
  `select t.revision, t.line, t.entry, t.effective_on, t.posted_at, ${AMOUNT} as amount, t.description
    from ${tableOf(postings)} t where ${where} order by ${order} limit ${limit}`

/** The lines by the date that their entries count for. */
const byEffectiveDate: View = {
  name: 'statement_effective',
  keys: ['effective_on', 'revision', 'line'],
  day: 't.effective_on',
  columns: LINE,
  rows: (where, limit) => lines(where, 't.effective_on, t.revision, t.line', limit),
}

/** The lines in the order of posting. */
const byPosting: View = {
  name: 'statement_posted',
  keys: ['revision', 'line'],
  day: 'left(t.posted_at, 10)',
  columns: LINE,
  rows: (where, limit) => lines(where, 't.revision, t.line', limit),
}

const byDay: View = {
  name: 'end_of_day',
  keys: ['effective_on'],
  day: 't.effective_on',
  columns: DAY,
  rows: (where, limit) =>
    `select t.effective_on, t.effective_on as date, count(*)::int as lines, sum(${AMOUNT}) as amount,
      sum(${AMOUNT}) as change from ${tableOf(postings)} t where ${where}
      group by t.effective_on order by t.effective_on limit ${limit}`,
}

const common: readonly Parameter[] = [
  { name: 'id', in: 'path', schema: shape.wallet, description: 'id of the wallet' },
  { name: 'account', in: 'path', schema: shape.account, description: 'account name, percent-encoded' },
  { ...inQuery('currency', shape.currency, 'currency of the account'), required: true },
  inQuery('from', date, 'first day of the period'),
  inQuery('to', date, 'last day of the period'),
  inQuery('effective_at', date, 'count only entries that count for this day or an earlier one; see `balance`'),
  asOfParameter,
  ...pageParameters,
  ...tokenParameters,
]
const order = inQuery(
  'order',
  z.enum(['effective', 'posted']),
  '`effective` (default): by the date that entries count for; `posted`: as posted, `from` and `to` being days of that',
)

const page = {
  wallet: shape.wallet,
  account: shape.account,
  currency: shape.currency,
  places: integer(0, 30).optional(),
  from: date.optional(),
  to: date.optional(),
  effective_at: date.optional(),
  balance: minorUnits
    .optional()
    .meta({ description: 'what the account held at the end of `effective_at`, as known at `meta.as_of`' }),
  opening: minorUnits.meta({ description: 'balance before the first row of this page' }),
  closing: minorUnits.meta({ description: 'balance after the last row of this page' }),
}
const { revision, line, entry, effective_on, posted_at, amount, description } = shape
const statementSchema = object({
  ...page,
  order: oneOf('effective', 'posted'),
  lines: list(
    object({ revision, line, entry, effective_on, posted_at, amount, balance: minorUnits, description }),
    LIMIT_MAX,
  ),
})
const endOfDaySchema = object({
  ...page,
  days: list(object({ date, lines: integer(0, 2_147_483_647), change: minorUnits, balance: minorUnits }), LIMIT_MAX),
})

/** The routes of an account's history: its statement, and its balances at the end of each day. */
export function statementRoutes(deps: ReadStore): Route[] {
  const shared = {
    method: 'GET',
    permission: 'wallet.accounts.read',
    tag: 'kwlt',
    errors: { ...asOfErrors, 404: ['not_found'], ...readErrors },
  } as const
  const withOrder = [...common, order]
  return [
    {
      ...shared,
      path: '/kwlt/wallets/:id/accounts/:account/statement',
      operationId: 'getStatement',
      summary: 'The statement of an account: opening balance, lines with their running balance, closing balance.',
      parameters: [...withOrder, ifNoneMatch],
      response: statementSchema,
      async handle(request) {
        const query = queriesOf(request, withOrder)
        const view = query.order === 'posted' ? byPosting : byEffectiveDate
        const { head, rows, ...answer } = await historyPage(deps, request, query, view)
        return { ...answer, data: { ...head, order: query.order ?? 'effective', lines: rows } }
      },
    },
    {
      ...shared,
      path: '/kwlt/wallets/:id/accounts/:account/end-of-day',
      operationId: 'getEndOfDayBalances',
      summary: 'The balance of an account at the end of each day on which entries count; other days keep the last one.',
      parameters: [...common, ifNoneMatch],
      response: endOfDaySchema,
      async handle(request) {
        const { head, rows, ...answer } = await historyPage(deps, request, queriesOf(request, common), byDay)
        return { ...answer, data: { ...head, days: rows } }
      },
    },
  ]
}

type Page = Omit<ApiResponse, 'data'> & { readonly head: object; readonly rows: readonly WireRow[] }

/** One page of a view. Throws `not_found` for an account that was never opened, which is not an empty account. */
async function historyPage(deps: ReadStore, request: ApiRequest, query: Queries, view: View): Promise<Page> {
  const { currency, from, to, effective_at } = query
  if (currency === undefined) throw invalidParameter('currency', 'must be given')
  if (from !== undefined && to !== undefined && from > to) throw invalidParameter('to', 'must not lie before from')
  const wallet = fromPath(request, 'id', shape.wallet)
  const account = fromPath(request, 'account', shape.account)
  const limit = Number(query.limit ?? LIMIT_DEFAULT)
  const wanted = await wantedOf(deps, request, query)
  const values = [request.principal.org, wallet, account, currency]
  const statement = pageStatement(view, values, { query, limit, asOf: wanted.asOf })
  const { rows, position } = await read(deps, request, statement, wanted)
  const [, , known, places, opening, balance, revision] = rows[0]!
  if (!known) {
    const when = wanted.asOf ? 'had' : 'has'
    throw new KogiError('not_found', `The wallet ${when} no account ${account} in ${currency}.`)
  }
  const found = (rows[0]![ROW_AT] === null ? [] : rows.slice(0, limit)).map(row => wireRow(view.columns, row, ROW_AT))
  const last = found.at(-1)
  const next = last && rows.length > limit ? cursorOf(view.name, keysOf(view, last), wanted.asOf) : undefined
  const closing = last?.balance ?? opening
  return {
    head: {
      wallet,
      account,
      currency,
      ...(places !== null && { places }),
      ...(from !== undefined && { from }),
      ...(to !== undefined && { to }),
      ...(effective_at !== undefined && { effective_at, balance }),
      opening,
      closing,
    },
    rows: found,
    pagination: { limit, has_more: next !== undefined, ...(next !== undefined && { next }) },
    ...taggedAt(revision, position, wanted.asOf),
  }
}

/** Columns of the answer before those of a line. */
const ROW_AT = 7

const ACCOUNT: Fixed = [
  ['org', '$2'],
  ['wallet', '$3'],
  ['account', '$4'],
  ['currency', '$5'],
]
const SCOPE = ACCOUNT.map(([column, value]) => `t.${column} = ${value}`).join(' and ')

const READ = [balances, postings]
const WALLET = thingOf(balances)!

type Asked = { readonly query: Queries; readonly limit: number; readonly asOf: AsOf | undefined }

/**
 * One statement: whether the account is there, its balance before the page, and the page with its running balance.
 * Lines are filtered by position (`as_of`) and by day (`effective_at`).
 */
function pageStatement(view: View, account: readonly string[], { query, limit, asOf }: Asked): Statement {
  const values: unknown[] = [...account]
  const put = (value: unknown) => `$${values.push(value) + 1}`
  const keys = view.keys.map(key => `t.${key}`).join(', ')
  const then = asOf && put(asOf.position)
  const scope = [SCOPE]
  if (then !== undefined) scope.push(`t.position <= ${then}::bigint`)
  const knownScope = scope.join(' and ')
  if (query.effective_at !== undefined) scope.push(`t.effective_on <= ${put(query.effective_at)}`)
  const from = query.from === undefined ? undefined : `${view.day} >= ${put(query.from)}`
  const to = query.to === undefined ? undefined : `${view.day} <= ${put(query.to)}`
  let after: string | undefined
  let before = from === undefined ? undefined : `not ${from}`
  if (query.after !== undefined) {
    const place = placeOf(view, query, asOf).map(put).join(', ')
    after = `(${keys}) > (${place})`
    const seen = [`(${keys}) <= (${place})`, to].filter(Boolean).join(' and ')
    // In the order of posting days can go back, because several processes with clocks of their own post.
    before = before === undefined || view !== byPosting ? seen : `(${before} or ${seen})`
  }
  const where = [...scope, from, to, after].filter(Boolean).join(' and ')
  const sum = (...and: string[]) =>
    `(select coalesce(sum(${AMOUNT}), 0) from ${tableOf(postings)} t where ${[...scope, ...and].join(' and ')})`
  const balance = query.effective_at === undefined ? 'null::numeric' : sum()
  const text = `with a as materialized (${accountSql(account[2]!, knownScope, then)})
    select c.position, c.stalled, coalesce(a.known, false), a.places, b.opening, ${balance},
      ${revisionSql(WALLET, '$3', then === undefined ? 'c.position' : `${then}::bigint`)},
      ${view.columns.map(name => (name === 'balance' ? 'b.opening + l.running' : `l.${name}`)).join(', ')}
    from ${withAuditLogSql(READ)} left join a on true
    cross join (select ${before === undefined ? '0::numeric' : sum(before)} as opening) b
    left join (
      select t.*, sum(t.amount) over (order by ${keys} rows unbounded preceding) as running
      from (${view.rows(where, put(limit + 1))}) t) l on true order by ${keys.replaceAll('t.', 'l.')}`
  return { of: [...READ, auditLog], text, values }
}

/** SQL of whether the account exists; an external account exists once something was posted to it. */
function accountSql(account: string, scope: string, then: string | undefined): string {
  if (!account.startsWith(EXTERNAL)) {
    const row =
      then === undefined ? `(select * from ${tableOf(balances)} t where ${SCOPE})` : rowAsOf(balances, ACCOUNT, then)
    return `select true as known, t.places, ('1e' || (t.places - t.minor_places))::numeric as usual from ${row} t`
  }
  // The minor unit never changes: the current one holds for every position.
  return `select known, places, coalesce(('1e' || (places - minor))::numeric, 1) as usual from (
      select exists(select from ${tableOf(postings)} t where ${scope}) as known, max(p.minor_places) as minor,
        greatest(max(p.minor_places), (select max(t.places) from ${tableOf(postings)} t where ${scope})) as places
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

const keysOf = ({ keys }: View, row: WireRow): string[] =>
  keys.map(key => String(key === 'effective_on' ? (row.effective_on ?? row.date) : row[key]))
