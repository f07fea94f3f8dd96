/** `GET /kwlt/net-worth`: what all accounts and positions are worth on a day, in one currency. */
import { z } from 'zod'
import { KogiError } from '../../domain/kernel/errors.ts'
import type { Parameter, Principal, Route } from '../../domain/kernel/route.ts'
import { boolean, currency, date, id, integer, list, minorUnits, object, oneOf } from '../../domain/kernel/schema.ts'
import { placesOf } from '../../domain/record/currencies.ts'
import { decimalOf } from '../../domain/wallet/ratetable/decimal.ts'
import { exchanged, type Way, waysTo } from '../../domain/wallet/ratetable/exchange.ts'
import { administersWallets } from '../../domain/wallet/wallet/access.ts'
import { coarsest } from '../../domain/wallet/wallet/places.ts'
import { tableOf } from '../../projections/rows/tables.ts'
import { balances } from '../../projections/wallet/balances.ts'
import { holdings } from '../../projections/wallet/holdings.ts'
import { investments } from '../../projections/wallet/investments.ts'
import { postings } from '../../projections/wallet/postings.ts'
import { walletUsers } from '../../projections/wallet/wallet-users.ts'
import { wallets } from '../../projections/wallet/wallets.ts'
import { asOfErrors, wantedOf } from '../as-of.ts'
import { checkpointsSql, positioned, type ReadStore, read, readErrors } from '../consistency.ts'
import { inQuery, invalidParameter, queriesOf } from '../parameters.ts'
import { DAY_RATES_OF, ratesIn } from './day-rates.ts'
import { DAY_SUMS_OF, laterSql } from './day-sums.ts'
import { accountsSql } from './reports/sums.ts'
import { dayOf, placesIn, placesText, ratesParameters, ratesScope, usedRate } from './valuing.ts'

const parameters: readonly Parameter[] = [
  { ...inQuery('currency', currency.meta({ examples: ['EUR'] }), 'currency to give it in'), required: true },
  inQuery('places', placesText, 'decimal places of values: those of ISO 4217 if left out'),
  inQuery('wallet', id('wallet'), 'only accounts and positions of this wallet'),
  ...ratesParameters,
]

const places = integer(0, 30)
const response = object({
  currency,
  places,
  day: date,
  total: minorUnits.optional().meta({ description: 'what all of it is worth; absent while `is_complete` is false' }),
  is_complete: boolean.meta({ description: 'whether there was a rate for every part' }),
  parts: list(
    object({
      of: oneOf('accounts', 'investments'),
      code: currency.meta({ description: 'currency of the accounts, or asset of the positions' }),
      amount: minorUnits.meta({ description: 'what there is of it, in minor units of `places`' }),
      places,
      value: minorUnits.optional().meta({ description: 'absent where there is no rate' }),
      rates: list(usedRate, 3).optional(),
    }),
    10_000,
  ).meta({ description: 'what it is made of; `total` is the sum of their values' }),
}).meta({ title: 'NetWorth' })

/** What is read, without the past: days of accounts have no position. */
const NOW = [...DAY_RATES_OF, ...DAY_SUMS_OF, balances, holdings, investments, wallets, walletUsers]
const THEN = [...DAY_RATES_OF, balances, postings, holdings, investments, wallets, walletUsers]

/** The route of the net worth. */
export const netWorthRoute = (deps: ReadStore): Route => ({
  method: 'GET',
  path: '/kwlt/net-worth',
  operationId: 'getNetWorth',
  summary:
    'What all assets, less liabilities, and all positions are worth on a day, in one currency. Wallets that name ' +
    'their users count for those users, their owners and administrators of wallets alone.',
  permission: 'wallet.accounts.read',
  tag: 'kwlt',
  parameters,
  response,
  errors: { ...asOfErrors, 403: ['forbidden'], ...readErrors },
  async handle(request) {
    const query = queriesOf(request, parameters)
    const { currency: code } = query
    if (code === undefined) throw invalidParameter('currency', 'must be given')
    const to = placesIn(query, 'places', code)
    const wanted = await wantedOf(deps, request, query)
    const { values, put, then, rates } = ratesScope(request.principal.org, query, wanted.asOf?.position)
    const wallet = query.wallet === undefined ? undefined : put(query.wallet)
    const of = then === undefined ? NOW : THEN
    const closed = closedSql(request.principal, put)
    const isClosed = wallet === undefined ? 'false' : `${wallet} = any(h.closed)`
    const text = `select c.position, c.stalled, r.rates, ${isClosed}, t.* from ${checkpointsSql(of)}
      cross join (select ${rates} as rates) r cross join (select ${closed} as closed) h
      left join lateral (${partsSql(then, wallet)}) t on true order by t."of", t.code`
    const { rows, position } = await read(deps, request, { of, text, values }, wanted)
    if (rows[0]![3] === true) {
      const message = 'The wallet names its users: ask its owner for a right.'
      throw new KogiError('forbidden', message, [{ field: 'wallet', message: query.wallet! }])
    }
    const ways = waysTo(code, ratesIn(rows[0]![2]))
    const parts = rows
      .filter(row => row[4] !== null)
      .map(([, , , , kind, held, amount]) => partOf(String(kind), String(held), String(amount), ways, to))
      .filter(({ amount }) => amount !== 0n)
    const isComplete = parts.every(({ value }) => value !== undefined)
    const total = parts.reduce((sum, { value = 0n }) => sum + value, 0n)
    const data = {
      currency: code,
      places: to,
      day: dayOf(query),
      ...(isComplete && { total }),
      is_complete: isComplete,
    }
    return { data: z.encode(response, { ...data, parts } as never), ...positioned(position, wanted.asOf) }
  },
})

/** SQL of a list of the wallets that name their users, and not the caller: these count for others alone. */
function closedSql({ subject, permissions }: Principal, put: (value: unknown) => string): string {
  if (administersWallets(permissions)) return `'{}'::text[]`
  const caller = put(subject)
  const users = `${tableOf(walletUsers)} u where u.org = $2 and u.wallet = w.id`
  return `array(select w.id from ${tableOf(wallets)} w where w.org = $2 and w.owner <> ${caller}
    and exists (select from ${users}) and not exists (select from ${users} and u."user" = ${caller}))`
}

/**
 * SQL of what there is of each currency and each asset at the end of the day `$3`, as decimals: the balances of
 * accounts without what counts from later days on, which are few. Wallets in `h.closed` are left out.
 */
function partsSql(then: string | undefined, wallet: string | undefined): string {
  const known = then === undefined ? '' : ` and d.position <= ${then}::bigint`
  const inWallet = wallet === undefined ? '' : ` and i.wallet = ${wallet}`
  return `select 'accounts' as "of", s.currency as code, sum(s.amount * ('1e-' || s.places)::numeric)::text as amount
    from (
      select b.currency, b.places, sum(b.balance - (${laterSql('$3', then)})) as amount
      from ${accountsSql(wallet, then)} b
      where b.type in ('asset', 'liability') and b.wallet <> all(h.closed)
      group by b.currency, b.places) s
    group by s.currency
    union all
    select 'investments', d.asset, sum(d.quantity * ('1e-' || d.quantity_places)::numeric)::text
    from ${tableOf(holdings)} d join ${tableOf(investments)} i on i.org = d.org and i.id = d.investment
    where d.org = $2 and d.day <= $3${known}${inWallet} and i.wallet <> all(h.closed)
    group by d.asset`
}

function partOf(kind: string, code: string, text: string, ways: ReadonlyMap<string, Way>, to: number) {
  const { digits, scale } = decimalOf(text)
  const { amount, places: from } = coarsest(digits, scale, placesOf(code) ?? 0)
  const way = ways.get(code)
  const valued = way && { value: exchanged(amount, way, { from, to }), rates: way.rates }
  return { of: kind, code, amount, places: from, ...valued }
}
