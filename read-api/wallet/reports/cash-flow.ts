/** What came into and went out of the cash accounts, by period, and by what the entries say of themselves. */
import { z } from 'zod'
import type { Route } from '../../../domain/kernel/route.ts'
import { currency, id, integer, list, minorUnits, object, text } from '../../../domain/kernel/schema.ts'
import { EXTERNAL } from '../../../domain/wallet/wallet/fields.ts'
import { tableOf } from '../../../projections/rows/tables.ts'
import { balances } from '../../../projections/wallet/balances.ts'
import { entries } from '../../../projections/wallet/entries.ts'
import { postings } from '../../../projections/wallet/postings.ts'
import { wallets } from '../../../projections/wallet/wallets.ts'
import { asOfParameter, wantedOf } from '../../as-of.ts'
import { type AsOf, checkpointsSql, positioned, type ReadStore, read, type Statement } from '../../consistency.ts'
import { cursorOf, placeOf } from '../../cursor.ts'
import { inQuery, type Queries, queriesOf, tokenParameters } from '../../parameters.ts'
import { type WireRow, wireRow } from '../../rows.ts'
import { notFound } from '../../scope.ts'
import {
  currencyParameter,
  fromToParameters,
  periodOf,
  reportErrors,
  rowsLimitOf,
  rowsParameters,
  walletParameter,
} from './routes.ts'
import { accountsSql, existsSql, MINOR_PLACES, type Period, periodSql } from './sums.ts'

const NAME = 'cash-flow'
const ROWS_MAX = 10_000
const CURRENCIES_MAX = 10_000
const PERIODS = { day: 10, month: 7, year: 4, all: 0 } as const
/** The column of an entry that rows are by; the tags of an entry are one row each. */
const BY = { tag: 'g.tag', counterparty: 'e.counterparty', project: 'e.project', kind: 'e.kind' } as const

const parameters = [
  ...fromToParameters,
  currencyParameter,
  inQuery('period', z.enum(['day', 'month', 'year', 'all']), '`month` (default): a row for each month'),
  inQuery(
    'by',
    z.enum(['tag', 'counterparty', 'project', 'kind']),
    'also a row for each tag, counterparty, project or kind; an entry with several tags counts for each of them',
  ),
  asOfParameter,
  ...rowsParameters,
  ...tokenParameters,
]

const amount = (description: string) => minorUnits.meta({ description })
const moved = {
  currency,
  places: integer(0, 30),
  inflow: amount('the sum of what entries brought in, moves among the cash accounts left out'),
  outflow: amount('the sum of what entries took out, without a sign'),
  net: amount('inflow less outflow'),
  entries: integer(0, 2 ** 31 - 1).meta({ description: 'how many entries moved something' }),
}
const row = object({
  period: text(10).optional().meta({ description: 'the day, month or year; absent for `all`' }),
  by: text(255).optional().meta({ description: 'the value of `by`; absent for entries that have none' }),
  ...moved,
  closing: amount('what the cash accounts held at the end of the period, where `by` is not asked for').optional(),
})
const total = object({
  ...moved,
  opening: amount('what the cash accounts held before the first day'),
  closing: amount('what they held at the end of the last one'),
})
const response = object({
  wallet: id('wallet').optional(),
  totals: list(total, CURRENCIES_MAX).meta({ description: 'of the whole period, whatever rows the page has' }),
  rows: list(row, ROWS_MAX),
}).meta({ title: 'CashFlow' })
const COLUMNS = ['period', 'by', 'currency', 'places', 'inflow', 'outflow', 'net', 'closing', 'entries']
/** Columns of the answer before those of a row: position, stalled, exists, totals. */
const AT = 4
/** What rows are in the order of: the period, whether there is a value of `by`, that value, and the currency. */
const KEY = [z.string(), z.enum(['0', '1']), z.string(), currency]

/** The routes of the cash flow of a wallet, and of the organization. */
export const cashFlowRoutes = (deps: ReadStore): Route[] => [cashFlowRoute(deps, true), cashFlowRoute(deps, false)]

function cashFlowRoute(deps: ReadStore, isOfWallet: boolean): Route {
  const asked = isOfWallet ? [walletParameter, ...parameters] : parameters
  return {
    method: 'GET',
    path: `/kwlt/${isOfWallet ? 'wallets/:id/' : ''}cash-flow`,
    permission: 'wallet.accounts.read',
    tag: 'kwlt',
    operationId: `get${isOfWallet ? 'Wallet' : ''}CashFlow`,
    summary: `Cash flow by period, tag, counterparty, project or kind, of ${isOfWallet ? 'a wallet' : 'all wallets'}.`,
    parameters: asked,
    response,
    errors: reportErrors,
    async handle(request) {
      const query = queriesOf(request, asked)
      const wanted = await wantedOf(deps, request, query)
      const period = periodOf(request, query)
      const limit = rowsLimitOf(query)
      const after = query.after === undefined ? ['', '0', '', ''] : placeOf(query.after, NAME, KEY, wanted.asOf)
      const statement = statementOf(request.principal.org, period, { query, limit, after }, wanted.asOf)
      const { rows, position } = await read(deps, request, statement, wanted)
      if (rows[0]![2] === false) throw notFound('wallet', [period.wallet!], wanted.asOf)
      const found = rows.filter(row => row[AT + 2] !== null)
      const page = found.slice(0, limit).map(values => wireRow(COLUMNS, values, AT))
      const next = found.length > limit ? cursorOf(NAME, placeAt(page.at(-1)!), wanted.asOf) : undefined
      return {
        data: {
          ...(period.wallet !== undefined && { wallet: period.wallet }),
          totals: rows[0]![AT - 1],
          rows: page,
        },
        pagination: { limit, has_more: next !== undefined, ...(next !== undefined && { next }) },
        ...positioned(position, wanted.asOf),
      }
    },
  }
}

const placeAt = ({ period = '', by, currency }: WireRow) => [period, by === undefined ? '1' : '0', by ?? '', currency]

const MODELS = [postings, entries, balances, wallets]

type Page = { readonly query: Queries; readonly limit: number; readonly after: readonly (string | null)[] }

/**
 * Cash accounts are the assets that are no investments. What an entry brings into all of them together, on a day, is an
 * inflow, so that moves among them are none; of an organization the way between two wallets is a cash account as well.
 */
function statementOf(org: string, period: Period, { query, limit, after }: Page, asOf: AsOf | undefined): Statement {
  const values: unknown[] = [org]
  const put = (value: unknown) => `$${values.push(value) + 1}`
  const then = asOf && put(asOf.position)
  const wallet = period.wallet === undefined ? undefined : put(period.wallet)
  const from = period.from === undefined ? undefined : put(period.from)
  const where = periodSql({ ...period, from: undefined }, then, put)
  const by = query.by === undefined ? undefined : BY[query.by as keyof typeof BY]
  const length = PERIODS[(query.period ?? 'month') as keyof typeof PERIODS]
  const isCash = `(a.type = 'asset' and a.kind is distinct from 'investment')
    ${wallet === undefined ? `or starts_with(t.account, '${EXTERNAL}wallet:')` : ''}`
  const tags = by === BY.tag ? 'left join lateral jsonb_array_elements_text(e.tags) g(tag) on true' : ''
  const named = by
    ? `left join ${tableOf(entries)} e on e.org = $2 and e.wallet = n.wallet and e.revision = n.revision ${tags}`
    : ''
  const isIn = from === undefined ? 'true' : `n.day >= ${from}`
  const [first, none, second, third] = after.map(put)
  const place = `${first}::text, ${none}::int, ${second}::text, ${third}::text`
  const text = `with a as materialized ${accountsSql(wallet, then)},
    l as (select t.wallet, t.revision, t.currency, t.effective_on as day, t.amount,
        coalesce(t.places, a.minor_places, m.minor_places, 0) as places
      from ${tableOf(postings)} t left join a on a.wallet = t.wallet and a.account = t.account
        and a.currency = t.currency
      left join ${MINOR_PLACES} m on m.wallet = t.wallet and m.currency = t.currency where ${where} and (${isCash})),
    u as (select currency, max(places) as places from l group by 1),
    n as (select l.wallet, l.revision, l.currency, l.day,
        sum(l.amount * ('1e' || (u.places - l.places))::numeric) as net
      from l join u using (currency) group by 1, 2, 3, 4),
    s as (select ${length === 0 ? 'null::text' : `left(n.day, ${length})`} as period, ${by ?? 'null::text'} as by,
        n.currency, coalesce(sum(greatest(n.net, 0)), 0) as inflow, coalesce(sum(greatest(-n.net, 0)), 0) as outflow,
        count(distinct (n.wallet, n.revision)) filter (where n.net <> 0)::int as entries
      from n ${named} where ${isIn} group by 1, 2, 3),
    o as (select n.currency, coalesce(sum(n.net) filter (where not ${isIn}), 0) as opening,
        coalesce(sum(greatest(n.net, 0)) filter (where ${isIn}), 0) as inflow,
        coalesce(sum(greatest(-n.net, 0)) filter (where ${isIn}), 0) as outflow,
        count(distinct (n.wallet, n.revision)) filter (where ${isIn} and n.net <> 0) as entries
      from n group by 1),
    z as (select s.*, u.places, s.inflow - s.outflow as net, ${
      by ? 'null::numeric' : 'o.opening + sum(s.inflow - s.outflow) over (partition by s.currency order by s.period)'
    } as closing
      from s join u using (currency) join o using (currency)),
    p as (select z.*, coalesce(z.period, '') as at_period, (z.by is null)::int as has_none, coalesce(z.by, '') as at_by
      from z where (coalesce(z.period, ''), (z.by is null)::int, coalesce(z.by, ''), z.currency) > (${place})
      order by at_period, has_none, at_by, z.currency limit ${put(limit + 1)})
    select c.position, c.stalled, ${existsSql(wallet, then)}, (
        select coalesce(jsonb_agg(jsonb_build_object('currency', o.currency, 'places', u.places,
          'opening', o.opening::text, 'inflow', o.inflow::text, 'outflow', o.outflow::text,
          'net', (o.inflow - o.outflow)::text, 'closing', (o.opening + o.inflow - o.outflow)::text,
          'entries', o.entries) order by o.currency), '[]') from o join u using (currency)),
      p.period, p.by, p.currency, p.places, p.inflow, p.outflow, p.net, p.closing, p.entries
    from ${checkpointsSql(MODELS)} left join p on true
    order by p.at_period, p.has_none, p.at_by, p.currency`
  return { of: MODELS, text, values }
}
