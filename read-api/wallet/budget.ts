/** `GET /kwlt/budgets/:id/actuals`: what may be spent in each period, and what was. */
import { z } from 'zod'
import type { Parameter, Route } from '../../domain/kernel/route.ts'
import { boolean, currency, date, id, integer, list, minorUnits, object, oneOf } from '../../domain/kernel/schema.ts'
import { type Bounds, PERIODS, type Period, periodsIn, type Span } from '../../domain/wallet/budget/periods.ts'
import { type Decimal, decimalOf, tenTo } from '../../domain/wallet/ratetable/decimal.ts'
import { placesOf } from '../../domain/wallet/wallet/currencies.ts'
import { coarsest } from '../../domain/wallet/wallet/places.ts'
import { type Fixed, rowAsOf } from '../../projections/rows/as-of.ts'
import { tableOf } from '../../projections/rows/tables.ts'
import { balances } from '../../projections/wallet/balances.ts'
import { budgets } from '../../projections/wallet/budgets.ts'
import { entries } from '../../projections/wallet/entries.ts'
import { postings } from '../../projections/wallet/postings.ts'
import { asOfErrors, asOfParameter, wantedOf } from '../as-of.ts'
import { checkpointsSql, positioned, type ReadStore, read, readErrors, type Statement } from '../consistency.ts'
import { fromPath, inQuery, invalidParameter, type Queries, queriesOf, tokenParameters } from '../parameters.ts'
import { notFound } from '../scope.ts'

/** Periods of one answer. */
const PERIODS_MAX = 1_000

const parameters: readonly Parameter[] = [
  { name: 'id', in: 'path', schema: id('budget'), description: 'id of the budget' },
  inQuery('from', date, 'a day of the first period: that of `to`, or today, if left out'),
  inQuery('to', date, 'a day of the last period: that of `from`, or today, if left out'),
  asOfParameter,
  ...tokenParameters,
]

const places = integer(0, 30)
const response = object({
  budget: id('budget'),
  currency,
  places,
  period: oneOf(...PERIODS),
  periods: list(
    object({
      from: date,
      to: date,
      amount: minorUnits.meta({ description: 'what may be spent' }),
      actual: minorUnits.meta({ description: 'what left the accounts of the wallets by entries that it is about' }),
      left: minorUnits.meta({ description: '`amount` without `actual`' }),
      is_passed: boolean.meta({ description: 'whether more was spent than may be' }),
      others: list(object({ currency, places, actual: minorUnits }), 1_000).meta({
        description: 'what was spent in other currencies, which `actual` does not count',
      }),
    }),
    PERIODS_MAX,
  ),
}).meta({ title: 'BudgetActuals' })

const OF = [budgets, entries, postings, balances]

/** The route of a budget beside what was spent. */
export const budgetRoute = (deps: ReadStore): Route => ({
  method: 'GET',
  path: '/kwlt/budgets/:id/actuals',
  operationId: 'getBudgetActuals',
  summary: 'What may be spent in each period of a budget, and what was spent by the entries that it is about.',
  permission: 'wallet.budgets.read',
  tag: 'kwlt',
  parameters,
  response,
  errors: { ...asOfErrors, 404: ['not_found'], ...readErrors },
  async handle(request) {
    const query = queriesOf(request, parameters)
    const name = fromPath(request, 'id', id('budget'))
    const asked = daysOf(query)
    const wanted = await wantedOf(deps, request, query)
    const then = wanted.asOf?.position
    const { org } = request.principal
    const found = await read(deps, request, budgetStatement([org, name], then), wanted)
    const budget = budgetIn(found.rows[0]!)
    if (budget === undefined) throw notFound('budget', [name], wanted.asOf)
    const spans = periodsIn(asked, budget.period, budget)
    if (spans.length > PERIODS_MAX) throw invalidParameter('to', `must lie at most ${PERIODS_MAX} periods behind from`)
    const whole = { from: spans[0]?.from ?? asked.from, to: spans.at(-1)?.to ?? asked.to }
    const { rows, position } = await read(deps, request, spentStatement(org, budget, whole, then), wanted)
    const days = rows.filter(row => row[2] !== null).map(row => dayOf(row as string[]))
    const own = days.filter(day => day.currency === budget.currency)
    const places = Math.max(budget.places, ...own.map(({ spent }) => spent.scale))
    const periods = spans.map(span => actualOf(span, { ...budget, places }, days))
    const data = { budget: name, currency: budget.currency, places, period: budget.period, periods }
    return { data: z.encode(response, data as never), ...positioned(position, wanted.asOf) }
  },
})

/** The days whose periods are asked for. */
function daysOf({ from, to }: Queries): Span {
  const today = new Date().toISOString().slice(0, 10)
  const [first, last] = [from ?? to ?? today, to ?? from ?? today]
  if (first > last) throw invalidParameter('to', 'must not lie before from')
  return { from: first, to: last }
}

type Budget = Bounds & {
  readonly currency: string
  /** In a unit of `places`, those that it was given in. */
  readonly amount: Decimal
  readonly places: number
  readonly period: Period
  readonly of: Readonly<Record<(typeof OF_ENTRIES)[number], string | null>>
}

/** Columns that say which entries a budget is about. */
const OF_ENTRIES = ['wallet', 'project', 'tag', 'counterparty'] as const

function budgetStatement(names: readonly string[], then: bigint | undefined): Statement {
  const fixed: Fixed = [
    ['org', '$2'],
    ['id', '$3'],
  ]
  const table = tableOf(budgets)
  const row = then === undefined ? `(select * from ${table} where org = $2 and id = $3)` : rowAsOf(budgets, fixed, '$4')
  const columns = ['currency', 'amount', 'places', 'period', 'starts_on', 'ends_on', ...OF_ENTRIES]
  const text = `select c.position, c.stalled, ${columns.map(column => `b.${column}`).join(', ')}
    from ${checkpointsSql([budgets])} left join ${row} b on true`
  return { of: [budgets], text, values: [...names, ...(then === undefined ? [] : [then])] }
}

function budgetIn([, , currency, amount, unit, period, starts_on, ends_on, ...of]: readonly unknown[]) {
  if (currency === null) return undefined
  const code = String(currency)
  const places = unit === null ? (placesOf(code) ?? 0) : Number(unit)
  const bounds = {
    starts_on: (starts_on as string | null) ?? undefined,
    ends_on: (ends_on as string | null) ?? undefined,
  }
  const about = Object.fromEntries(OF_ENTRIES.map((name, at) => [name, of[at]])) as Budget['of']
  const allowed = { digits: BigInt(amount as string), scale: places }
  return { currency: code, amount: allowed, places, period: period as Period, ...bounds, of: about } satisfies Budget
}

/**
 * What left asset and liability accounts on each day and in each currency, as decimals: more came in where it is below
 * zero. What takes an entry back counts as that entry does.
 */
function spentStatement(org: string, { of }: Budget, { from, to }: Span, then: bigint | undefined): Statement {
  const values: unknown[] = [org, from, to]
  const put = (value: unknown) => `$${values.push(value) + 1}`
  const where = ['e.org = $2', 'not p.external', `b.type in ('asset', 'liability')`]
  where.push('p.effective_on >= $3', 'p.effective_on <= $4')
  if (then !== undefined) where.push(`p.position <= ${put(then)}::bigint`)
  const same = (column: string) => `(case when t.is_back then o.${column} else e.${column} end)`
  if (of.wallet !== null) where.push(`e.wallet = ${put(of.wallet)}`)
  if (of.project !== null) where.push(`${same('project')} = ${put(of.project)}`)
  if (of.counterparty !== null) where.push(`${same('counterparty')} = ${put(of.counterparty)}`)
  if (of.tag !== null) where.push(`${same('tags')} @> jsonb_build_array(${put(of.tag)}::text)`)
  const text = `select c.position, c.stalled, s.* from ${checkpointsSql(OF)} left join (
      select p.effective_on, p.currency,
        sum(-p.amount * ('1e-' || coalesce(p.places, b.minor_places))::numeric)::text as spent
      from ${tableOf(entries)} e
      join ${tableOf(postings)} p on p.org = e.org and p.wallet = e.wallet and p.revision = e.revision
      join ${tableOf(balances)} b
        on b.org = p.org and b.wallet = p.wallet and b.account = p.account and b.currency = p.currency
      left join ${tableOf(entries)} o on o.org = e.org and o.wallet = e.wallet and o.id = e.reverses
      cross join lateral (
        select o.id is not null and (e.taken_back is null or p.line < e.taken_back) as is_back) t
      where ${where.join(' and ')} group by p.effective_on, p.currency) s on true order by s.currency, s.effective_on`
  return { of: OF, text, values }
}

type Day = { readonly day: string; readonly currency: string; readonly spent: Decimal }

function dayOf([, , day, currency, spent]: readonly string[]): Day {
  const { digits, scale } = decimalOf(spent!)
  const { amount, places } = coarsest(digits, scale, placesOf(currency!) ?? 0)
  return { day: day!, currency: currency!, spent: { digits: amount, scale: places } }
}

/** A period of a budget, in the unit of its `places`. */
function actualOf(span: Span, { currency: code, amount, places }: Budget, all: readonly Day[]) {
  const days = all.filter(({ day }) => day >= span.from && day <= span.to)
  const sumIn = (unit: number, of: string) =>
    days.filter(one => one.currency === of).reduce((sum, { spent }) => sum + inPlaces(spent, unit), 0n)
  const allowed = inPlaces(amount, places)
  const actual = sumIn(places, code)
  const others = [...new Set(days.map(one => one.currency).filter(one => one !== code))].map(other => {
    const unit = Math.max(...days.filter(one => one.currency === other).map(({ spent }) => spent.scale))
    return { currency: other, places: unit, actual: sumIn(unit, other) }
  })
  return { ...span, amount: allowed, actual, left: allowed - actual, is_passed: actual > allowed, others }
}

const inPlaces = ({ digits, scale }: Decimal, places: number): bigint => digits * tenTo(places - scale)
