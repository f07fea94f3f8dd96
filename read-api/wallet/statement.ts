import { z } from 'zod'
import { KogiError } from '../../domain/kernel/errors.ts'
import type { ApiRequest, ApiResponse, Parameter, Route } from '../../domain/kernel/route.ts'
import { date, integer, list, minorUnits, object, oneOf } from '../../domain/kernel/schema.ts'
import { postings } from '../../projections/wallet/postings.ts'
import { asOfErrors, asOfParameter, wantedOf } from '../as-of.ts'
import { type ReadStore, read, readErrors } from '../consistency.ts'
import { cursorOf } from '../cursor.ts'
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
import { conditionErrors, conditions, taggedAt } from '../revision.ts'
import { type WireRow, wireRow } from '../rows.ts'
import { byDay, byEffectiveDate, byEveryDay, byPosting, HEAD, keysOf, pageStatement, type View } from './history-sql.ts'

const { shape } = postings.row

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

const everyDay = inQuery(
  'every_day',
  z.enum(['true', 'false']),
  '`true`: a row for each day of the period, those without entries too; it ends with `to`, or with the last entry',
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
  opening: minorUnits.meta({ description: 'balance before the period' }),
  credits: minorUnits.meta({ description: 'what came in during the period' }),
  debits: minorUnits.meta({ description: 'what went out during the period, without a sign' }),
  count: integer(0, 2_147_483_647).meta({ description: 'number of postings in the period' }),
  closing: minorUnits.meta({ description: 'balance after the period: `opening` + `credits` − `debits`' }),
  page_opening: minorUnits.meta({ description: 'balance before the first row of this page' }),
  page_closing: minorUnits.meta({ description: 'balance after the last row of this page' }),
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
    errors: { ...asOfErrors, 404: ['not_found'], ...conditionErrors, ...readErrors },
  } as const
  const withOrder = [...common, order]
  const withEveryDay = [...common, everyDay]
  return [
    {
      ...shared,
      path: '/kwlt/wallets/:id/accounts/:account/statement',
      operationId: 'getStatement',
      summary: 'The statement of an account: opening balance, lines with their running balance, closing balance.',
      parameters: [...withOrder, ...conditions],
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
      summary:
        'The balance of an account at the end of each day on which entries count, or with `every_day` of every day.',
      parameters: [...withEveryDay, ...conditions],
      response: endOfDaySchema,
      async handle(request) {
        const query = queriesOf(request, withEveryDay)
        const view = query.every_day === 'true' ? byEveryDay : byDay
        const { head, rows, ...answer } = await historyPage(deps, request, query, view)
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
  const head = Object.fromEntries(HEAD.map((name, at) => [name, rows[0]![at]]))
  const { known, places, balance, revision, opening, credits, debits, count, page_opening } = head
  if (!known) {
    const when = wanted.asOf ? 'had' : 'has'
    throw new KogiError('not_found', `The wallet ${when} no account ${account} in ${currency}.`)
  }
  const found = (rows[0]![HEAD.length] === null ? [] : rows.slice(0, limit)).map(row =>
    wireRow(view.columns, row, HEAD.length),
  )
  const last = found.at(-1)
  const next = last && rows.length > limit ? cursorOf(view.name, keysOf(view, last), wanted.asOf) : undefined
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
      credits,
      debits,
      count,
      closing: String(BigInt(opening as string) + BigInt(credits as string) - BigInt(debits as string)),
      page_opening,
      page_closing: last?.balance ?? page_opening,
    },
    rows: found,
    pagination: { limit, has_more: next !== undefined, ...(next !== undefined && { next }) },
    ...taggedAt(revision, position, wanted.asOf),
  }
}
