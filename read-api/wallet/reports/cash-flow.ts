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
import { inQuery, type Queries, queriesOf, tokenParameters, whole } from '../../parameters.ts'
import { wireRow } from '../../rows.ts'
import { notFound } from '../../scope.ts'
import { currencyParameter, fromToParameters, periodOf, reportErrors, walletParameter } from './routes.ts'
import { accountsSql, existsSql, MINOR_PLACES, type Period, periodSql } from './sums.ts'

const ROWS_DEFAULT = 1_000
const ROWS_MAX = 10_000
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
  inQuery('limit', whole(1, ROWS_MAX, ROWS_DEFAULT), 'most rows to answer with; `has_more` says that there are more'),
  asOfParameter,
  ...tokenParameters,
]

const amount = (description: string) => minorUnits.meta({ description })
const row = object({
  period: text(10).optional().meta({ description: 'the day, month or year; absent for `all`' }),
  by: text(255).optional().meta({ description: 'the value of `by`; absent for entries that have none' }),
  currency,
  places: integer(0, 30),
  inflow: amount('the sum of what entries brought in, moves among the cash accounts left out'),
  outflow: amount('the sum of what entries took out, without a sign'),
  net: amount('inflow less outflow'),
  closing: amount('what the cash accounts held at the end of the period, where `by` is not asked for').optional(),
  entries: integer(0, 2 ** 31 - 1).meta({ description: 'how many entries moved something' }),
})
const response = object({ wallet: id('wallet').optional(), rows: list(row, ROWS_MAX) }).meta({ title: 'CashFlow' })
const COLUMNS = ['period', 'by', 'currency', 'places', 'inflow', 'outflow', 'net', 'closing', 'entries']
/** Columns of the answer before those of a row: position, stalled, exists. */
const AT = 3

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
      const limit = Number(query.limit ?? ROWS_DEFAULT)
      const statement = statementOf(request.principal.org, period, query, limit, wanted.asOf)
      const { rows, position } = await read(deps, request, statement, wanted)
      if (rows[0]![2] === false) throw notFound('wallet', [period.wallet!], wanted.asOf)
      const found = rows.filter(row => row[AT + 2] !== null)
      return {
        data: {
          ...(period.wallet !== undefined && { wallet: period.wallet }),
          rows: found.slice(0, limit).map(values => wireRow(COLUMNS, values, AT)),
        },
        pagination: { limit, has_more: found.length > limit },
        ...positioned(position, wanted.asOf),
      }
    },
  }
}

const MODELS = [postings, entries, balances, wallets]

/**
 * Cash accounts are the assets that are no investments. What an entry brings into all of them together, on a day, is an
 * inflow, so that moves among them are none; of an organization the way between two wallets is a cash account as well.
 */
function statementOf(org: string, period: Period, query: Queries, limit: number, asOf: AsOf | undefined): Statement {
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
    o as (select currency, sum(net) filter (where not ${isIn}) as opening from n group by 1)
    select c.position, c.stalled, ${existsSql(wallet, then)}, r.period, r.by, r.currency, r.places, r.inflow, r.outflow,
      r.net, r.closing, r.entries
    from ${checkpointsSql(MODELS)} left join (
      select s.*, u.places, s.inflow - s.outflow as net, ${
        by
          ? 'null::numeric'
          : `coalesce(o.opening, 0) + sum(s.inflow - s.outflow) over (partition by s.currency order by s.period)`
      } as closing
      from s join u using (currency) join o using (currency)
      order by s.period, s.by, s.currency limit ${put(limit + 1)}) r on true
    order by r.period, r.by, r.currency`
  return { of: MODELS, text, values }
}
