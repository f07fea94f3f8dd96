/**
 * What was posted to each account, in one unit for each currency: what the reports are made of. The database adds it
 * up, so that a report of any number of accounts takes the memory of its totals and of one page.
 */
import { KogiError } from '../../../domain/kernel/errors.ts'
import type { ApiRequest } from '../../../domain/kernel/route.ts'
import { ISO_PLACES } from '../../../domain/record/currencies.ts'
import type { Rate } from '../../../domain/wallet/ratetable/exchange.ts'
import { type AccountType, EQUITY_OUTSIDE, NAMES_OF_TYPES } from '../../../domain/wallet/wallet/chart.ts'
import { EXTERNAL } from '../../../domain/wallet/wallet/fields.ts'
import { OF_ORG, rowAsOf, rowsSql } from '../../../projections/rows/as-of.ts'
import { tableOf } from '../../../projections/rows/tables.ts'
import { balances } from '../../../projections/wallet/balances.ts'
import { charts } from '../../../projections/wallet/charts.ts'
import { USUAL_UNIT } from '../../../projections/wallet/posting-sums.ts'
import { postings } from '../../../projections/wallet/postings.ts'
import { wallets } from '../../../projections/wallet/wallets.ts'
import { type AsOf, checkpointsSql, type ReadStore, read, type Statement, type Wanted } from '../../consistency.ts'
import { notFound } from '../../scope.ts'
import { DAY_RATES_OF, dayRatesSql, ratesIn } from '../day-rates.ts'
import { DAY_SUMS_OF, daySumsSql } from '../day-sums.ts'

/** Which postings: of a wallet or of all of them, for days from `from` to `to`, as known at a position. */
export type Period = {
  readonly wallet: string | undefined
  readonly currency: string | undefined
  readonly from: string | undefined
  readonly to: string | undefined
  /** The day of the rates that are wanted with the sums, and the rate tables that they may be of. */
  readonly rates?: { readonly day: string; readonly sources: readonly string[] | undefined }
}

/** What an account holds, or several of one type together: above zero where that is a debit balance. */
export type AccountSum = {
  readonly wallet: string
  readonly account: string
  readonly currency: string
  /** Decimal places of the balance: those of the finest amount in the currency. */
  readonly places: number
  readonly balance: bigint
  /** `undefined` for an external account whose type neither the chart nor its name says. */
  readonly type: AccountType | undefined
}

/** The conditions of a period on a row `t`, and the values that they need behind those of the statement. */
export function periodSql(
  { wallet, currency, from, to }: Period,
  then: string | undefined,
  put: (value: unknown) => string,
) {
  return [
    't.org = $2',
    ...(wallet === undefined ? [] : [`t.wallet = ${put(wallet)}`]),
    ...(currency === undefined ? [] : [`t.currency = ${put(currency)}`]),
    ...(from === undefined ? [] : [`t.effective_on >= ${put(from)}`]),
    ...(to === undefined ? [] : [`t.effective_on <= ${put(to)}`]),
    ...(then === undefined ? [] : [`t.position <= ${then}::bigint`]),
  ].join(' and ')
}

/** SQL of the accounts of an org or a wallet as they are, or were: one look into the index for each. */
export function accountsSql(wallet: string | undefined, then: string | undefined): string {
  const where = `b.org = $2${wallet === undefined ? '' : ` and b.wallet = ${wallet}`}`
  if (then === undefined) return `(select b.* from ${tableOf(balances)} b where ${where})`
  const key = ['wallet', 'account', 'currency'].map(column => [column, `b.${column}`] as const)
  return `(select v.* from ${tableOf(balances)} b
    cross join lateral ${rowAsOf(balances, [['org', '$2'], ...key], then)} v where ${where})`
}

/** SQL of the decimal places of each currency of a wallet, by its accounts `a`: added up once, not for each row. */
export const MINOR_PLACES =
  '(select a.wallet, a.currency, max(a.minor_places) as minor_places from a group by a.wallet, a.currency)'

/** SQL of whether the wallet exists, or did then. */
export function existsSql(wallet: string | undefined, then: string | undefined): string {
  if (wallet === undefined) return 'true'
  const row =
    then === undefined
      ? `${tableOf(wallets)} w where w.org = $2 and w.id = ${wallet}`
      : `${rowAsOf(
          wallets,
          [
            ['org', '$2'],
            ['id', wallet],
          ],
          then,
        )} w`
  return `exists(select from ${row})`
}

const MODELS = [...DAY_SUMS_OF, postings, balances, charts, wallets]
/** Columns of the answer before those of a sum: position, stalled, exists, rates, whether it is of all or of a row. */
const AT = 5

/** Currencies that a report can have totals of, which are in memory together. */
const CURRENCIES_MAX = 10_000
/** Sums of a currency: of each type, and of those without one, above, at and below zero. */
const SUMS_MAX = 18

/** Which rows of a report: as SQL of a row `r`, those behind a place in the order of wallet, account and currency. */
export type Rows = {
  readonly condition: string
  readonly after: readonly (string | null)[] | undefined
  readonly limit: number
}

export type Sums = {
  /** All accounts, those of one currency and type on one side of zero added up. */
  readonly totals: readonly AccountSum[]
  /** The accounts of the page, and one more where there are more. */
  readonly accounts: readonly AccountSum[]
  readonly rates: readonly Rate[]
  readonly position: bigint
}

/**
 * What was posted to accounts in a period: added up by the database over all of them, and a page of them. Throws
 * `not_found` for a wallet that is not there, and `report_too_large` where there are more currencies than a report can
 * have.
 */
export async function accountSums(
  deps: ReadStore,
  request: ApiRequest,
  period: Period,
  { wanted, rows: asked }: { readonly wanted: Wanted; readonly rows: Rows },
): Promise<Sums> {
  const statement = sumsStatement(request.principal.org, period, asked, wanted.asOf)
  const { rows, position } = await read(deps, request, statement, wanted)
  const [, , exists, rates] = rows[0]!
  if (exists === false) throw notFound('wallet', [period.wallet!], wanted.asOf)
  const sumsOf = (what: string) => rows.filter(row => row[AT - 1] === what).map(sumOf)
  const totals = sumsOf('total')
  if (new Set(totals.map(({ currency }) => currency)).size > CURRENCIES_MAX) {
    throw new KogiError('report_too_large', `A report has at most ${CURRENCIES_MAX} currencies: ask for one currency.`)
  }
  return { totals, accounts: sumsOf('account'), rates: ratesIn(rates ?? []), position }
}

function sumOf(row: readonly unknown[]): AccountSum {
  const [wallet, account, currency, places, balance, type] = row.slice(AT)
  return {
    wallet: String(wallet),
    account: String(account),
    currency: String(currency),
    places: Number(places),
    balance: BigInt(balance as string),
    type: (type as AccountType | null) ?? undefined,
  }
}

function sumsStatement(org: string, period: Period, asked: Rows, asOf: AsOf | undefined): Statement {
  const values: unknown[] = [org]
  const put = (value: unknown) => `$${values.push(value) + 1}`
  const then = asOf && put(asOf.position)
  const wallet = period.wallet === undefined ? undefined : put(period.wallet)
  const source =
    then === undefined
      ? daySumsSql(period, periodSql({ ...period, from: undefined, to: undefined }, then, put), put)
      : `select t.wallet, t.account, t.currency, coalesce(t.places::text, '${USUAL_UNIT}') as unit, t.amount as sum
        from ${tableOf(postings)} t where ${periodSql(period, then, put)}`
  const rates = period.rates ? dayRatesSql(put(period.rates.day), sourcesOf(period.rates, then, put)) : 'null'
  const versions = rowsSql(charts, OF_ORG, then)
  const latest = `select distinct on (h.wallet) h.wallet, h.rules from ${versions} h
    where h.org = $2${wallet === undefined ? '' : ` and h.wallet = ${wallet}`} order by h.wallet, h.version desc`
  const of = period.rates ? [...MODELS, ...DAY_RATES_OF] : MODELS
  const place = asked.after?.map(put).join(', ')
  const behind = place === undefined ? 'true' : `(r.wallet, r.account, r.currency) > (${place})`
  const text = `with a as materialized ${accountsSql(wallet, then)}, h as materialized (${latest}),
    m as materialized ${MINOR_PLACES}, i as materialized ${isoPlacesSql(put)},
    s as materialized (
      select t.wallet, t.account, t.currency, t.unit as u, sum(t.sum) as balance
      from (${source}) t group by 1, 2, 3, 4),
    l as materialized (
      select s.*, case when s.u = '${USUAL_UNIT}' then coalesce(m.minor_places, i.places, 0) else s.u::int end as places
      from s left join m on m.wallet = s.wallet and m.currency = s.currency left join i on i.code = s.currency),
    f as (select currency, max(places) as places from l group by 1),
    b as materialized (
      select l.wallet, l.account, l.currency, f.places,
        sum(l.balance * ('1e' || (f.places - l.places))::numeric) as balance
      from l join f on f.currency = l.currency group by 1, 2, 3, 4),
    r as materialized (
      select b.*, case when starts_with(b.account, '${EXTERNAL}') then ${outsideTypeSql('b.account', 'h.rules')}
        else coalesce(a.type, 'asset') end as type
      from b left join a on a.wallet = b.wallet and a.account = b.account and a.currency = b.currency
      left join h on h.wallet = b.wallet),
    k as (select currency, places, type, sign(balance), sum(balance) as balance from r group by 1, 2, 3, 4
      order by 1 limit ${CURRENCIES_MAX * SUMS_MAX + 1}),
    p as (select * from r where ${behind} and ${asked.condition}
      order by r.wallet, r.account, r.currency limit ${put(asked.limit + 1)})
    select c.position, c.stalled, ${existsSql(wallet, then)}, ${rates}, x.*
    from ${checkpointsSql(of)} left join (
      select 'total' as what, '' as wallet, '' as account, currency, places, balance, type from k
      union all select 'account', wallet, account, currency, places, balance, type from p) x on true
    order by x.what, x.wallet, x.account, x.currency`
  return { of, text, values }
}

function sourcesOf(
  { sources }: NonNullable<Period['rates']>,
  then: string | undefined,
  put: (value: unknown) => string,
) {
  return { then, ...(sources && { sources: put(sources) }) }
}

/** SQL of a table of the currencies of ISO 4217, `code` and `places`. */
const isoPlacesSql = (put: (value: unknown) => string): string =>
  `(select * from unnest(${put(ISO_PLACES.map(([code]) => code))}::text[],
    ${put(ISO_PLACES.map(([, places]) => places))}::int[]) i(code, places))`

/** SQL of the type of an external account: that of its rule in the chart, else the one that its name says. */
function outsideTypeSql(account: string, rules: string): string {
  const name = `substr(${account}, ${EXTERNAL.length + 1})`
  // The pattern of a rule as one of `like`, in which \, % and _ stand for themselves.
  const escaped = ['\\', '%', '_'].reduce(
    (sql, mark) => `replace(${sql}, '${mark}', '\\${mark}')`,
    `r.rule->>'account'`,
  )
  const pattern = `replace(${escaped}, '*', '%')`
  const byRule = `(select r.rule->>'type' from jsonb_array_elements(${rules}) with ordinality r(rule, n)
    where ${account} like ${pattern} order by r.n limit 1)`
  const byName = NAMES_OF_TYPES.map(([form, type]) => `when ${name} ~* '${form.source}' then '${type}'`).join(' ')
  return `coalesce(${byRule}, case when ${name} ~ '${EQUITY_OUTSIDE.source}' then 'equity' ${byName} end)`
}
