/** What was posted to each account, in one unit for each currency: what the reports are made of. */
import { KogiError } from '../../../domain/kernel/errors.ts'
import type { ApiRequest } from '../../../domain/kernel/route.ts'
import type { Rate } from '../../../domain/wallet/ratetable/exchange.ts'
import { type AccountType, ruleOf, typeByName } from '../../../domain/wallet/wallet/chart.ts'
import { placesOf } from '../../../domain/wallet/wallet/currencies.ts'
import { EXTERNAL } from '../../../domain/wallet/wallet/fields.ts'
import type { Chart } from '../../../domain/wallet/wallet/state.ts'
import { OF_ORG, rowAsOf, rowsSql } from '../../../projections/rows/as-of.ts'
import { tableOf } from '../../../projections/rows/tables.ts'
import { accountDays } from '../../../projections/wallet/account-days.ts'
import { balances } from '../../../projections/wallet/balances.ts'
import { charts } from '../../../projections/wallet/charts.ts'
import { USUAL_UNIT } from '../../../projections/wallet/posting-sums.ts'
import { postings } from '../../../projections/wallet/postings.ts'
import { wallets } from '../../../projections/wallet/wallets.ts'
import { type AsOf, checkpointsSql, type ReadStore, read, type Statement, type Wanted } from '../../consistency.ts'
import { notFound } from '../../scope.ts'
import { DAY_RATES_OF, dayRatesSql, ratesIn } from '../day-rates.ts'

/** Which postings: of a wallet or of all of them, for days from `from` to `to`, as known at a position. */
export type Period = {
  readonly wallet: string | undefined
  readonly currency: string | undefined
  readonly from: string | undefined
  readonly to: string | undefined
  /** The day of the rates that are wanted with the sums, and the rate tables that they may be of. */
  readonly rates?: { readonly day: string; readonly sources: readonly string[] | undefined }
}

/** What was posted to an account: `debit` in all, `credit` in all, neither below zero, in units of `places`. */
export type AccountSum = {
  readonly wallet: string
  readonly account: string
  readonly currency: string
  readonly places: number
  readonly debit: bigint
  readonly credit: bigint
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

const MODELS = [accountDays, postings, balances, charts, wallets]
/** Columns of the answer before those of a sum: position, stalled, exists, rates, charts. */
const AT = 5

/** Accounts of which a report can be made: each is a row of the answer, which is made in memory. */
export const ACCOUNTS_MAX = 50_000

/**
 * What was posted to each account in a period. Throws `not_found` for a wallet that is not there, and
 * `report_too_large` where there are more accounts than a report can have.
 */
export async function accountSums(
  deps: ReadStore,
  request: ApiRequest,
  period: Period,
  wanted: Wanted,
): Promise<{ readonly sums: readonly AccountSum[]; readonly rates: readonly Rate[]; readonly position: bigint }> {
  const { rows, position } = await read(
    deps,
    request,
    sumsStatement(request.principal.org, period, wanted.asOf),
    wanted,
  )
  const [, , exists, rates, found] = rows[0]!
  if (exists === false) throw notFound('wallet', [period.wallet!], wanted.asOf)
  if (rows.length > ACCOUNTS_MAX) {
    const message = `A report has at most ${ACCOUNTS_MAX} accounts: ask for one wallet, or one currency.`
    throw new KogiError('report_too_large', message)
  }
  const rules = new Map(
    (found as readonly { wallet: string; rules: Chart['rules'] }[]).map(one => [one.wallet, one.rules]),
  )
  const lines = rows.filter(row => row[AT] !== null).map(row => lineOf(row, rules))
  return { sums: inOneUnit(lines), rates: ratesIn(rates ?? []), position }
}

function sumsStatement(org: string, period: Period, asOf: AsOf | undefined): Statement {
  const values: unknown[] = [org]
  const put = (value: unknown) => `$${values.push(value) + 1}`
  const then = asOf && put(asOf.position)
  const wallet = period.wallet === undefined ? undefined : put(period.wallet)
  const where = periodSql(period, then, put)
  const source =
    then === undefined
      ? `(select *, unit as u from ${tableOf(accountDays)})`
      : `(select *, coalesce(places::text, '${USUAL_UNIT}') as u, greatest(amount, 0) as credits,
          greatest(-amount, 0) as debits from ${tableOf(postings)})`
  const rates = period.rates ? dayRatesSql(put(period.rates.day), sourcesOf(period.rates, then, put)) : 'null'
  const versions = rowsSql(charts, OF_ORG, then)
  const latest = `select distinct on (h.wallet) h.wallet, h.rules from ${versions} h
    where h.org = $2${wallet === undefined ? '' : ` and h.wallet = ${wallet}`} order by h.wallet, h.version desc`
  const of = period.rates ? [...MODELS, ...DAY_RATES_OF] : MODELS
  const text = `with a as materialized ${accountsSql(wallet, then)}
    select c.position, c.stalled, ${existsSql(wallet, then)}, ${rates},
      (select coalesce(json_agg(json_build_object('wallet', l.wallet, 'rules', l.rules)), '[]') from (${latest}) l),
      s.wallet, s.account, s.currency, s.u, s.credits, s.debits, a.type, m.minor_places
    from ${checkpointsSql(of)} left join (
      select t.wallet, t.account, t.currency, t.u, sum(t.credits) as credits, sum(t.debits) as debits
      from ${source} t where ${where} group by 1, 2, 3, 4 limit ${ACCOUNTS_MAX + 1}
    ) s on true left join a on a.wallet = s.wallet and a.account = s.account and a.currency = s.currency
    left join ${MINOR_PLACES} m on m.wallet = s.wallet and m.currency = s.currency`
  return { of, text, values }
}

function sourcesOf(
  { sources }: NonNullable<Period['rates']>,
  then: string | undefined,
  put: (value: unknown) => string,
) {
  return { then, ...(sources && { sources: put(sources) }) }
}

type Line = AccountSum

function lineOf(row: readonly unknown[], rules: ReadonlyMap<string, Chart['rules']>): Line {
  const [wallet, account, currency, unit, came, went] = row.slice(AT) as string[]
  const [type, minor] = row.slice(AT + 6) as [AccountType | null, number | null]
  const usual = minor ?? placesOf(currency!) ?? 0
  return {
    wallet: wallet!,
    account: account!,
    currency: currency!,
    places: unit === USUAL_UNIT ? usual : Number(unit),
    debit: BigInt(came!),
    credit: BigInt(went!),
    type: type ?? outsideType(account!, rules.get(wallet!)),
  }
}

/** The type of an external account: that of the chart, else the one that its name says. */
function outsideType(account: string, rules: Chart['rules'] = []): AccountType | undefined {
  if (!account.startsWith(EXTERNAL)) return 'asset'
  return ruleOf(rules, account)?.type ?? typeByName(account)
}

const inPlaces = (amount: bigint, more: number): bigint => (more === 0 ? amount : amount * 10n ** BigInt(more))

/** One sum for each account, all of a currency in the finest unit of them, in the order of their names. */
function inOneUnit(lines: readonly Line[]): readonly AccountSum[] {
  const finest = new Map<string, number>()
  for (const { currency, places } of lines) finest.set(currency, Math.max(places, finest.get(currency) ?? 0))
  const sums = new Map<string, AccountSum>()
  for (const line of lines) {
    const places = finest.get(line.currency)!
    const key = [line.wallet, line.account, line.currency].join('\0')
    const { debit, credit } = sums.get(key) ?? { debit: 0n, credit: 0n }
    sums.set(key, {
      ...line,
      places,
      debit: debit + inPlaces(line.debit, places - line.places),
      credit: credit + inPlaces(line.credit, places - line.places),
    })
  }
  return [...sums].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, sum]) => sum)
}
