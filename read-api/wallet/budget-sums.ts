/** What a budget allows and what was spent of it: for the route, and for who watches budgets. */

import { placesOf } from '../../domain/record/currencies.ts'
import type { Bounds, Period, Span } from '../../domain/wallet/budget/periods.ts'
import { type Decimal, decimalOf, tenTo } from '../../domain/wallet/ratetable/decimal.ts'
import { coarsest } from '../../domain/wallet/wallet/places.ts'
import { tableOf } from '../../projections/rows/tables.ts'
import { balances } from '../../projections/wallet/balances.ts'
import { budgets } from '../../projections/wallet/budgets.ts'
import { entries } from '../../projections/wallet/entries.ts'
import { postings } from '../../projections/wallet/postings.ts'
import { checkpointsSql, type Statement } from '../consistency.ts'

/** The read models that say what was spent. */
export const OF_BUDGETS = [budgets, entries, postings, balances]

export type Budget = Bounds & {
  readonly currency: string
  /** In a unit of `places`, those that it was given in. */
  readonly amount: Decimal
  readonly places: number
  readonly period: Period
  readonly of: Readonly<Record<(typeof OF_ENTRIES)[number], string | null>>
}

/** Columns that say which entries a budget is about. */
const OF_ENTRIES = ['wallet', 'project', 'tag', 'counterparty'] as const

/** The columns of a row that `budgetOf` takes, in order. */
export const BUDGET_COLUMNS = ['currency', 'amount', 'places', 'period', 'starts_on', 'ends_on', ...OF_ENTRIES]

/** A budget by those columns. */
export function budgetOf([currency, amount, unit, period, starts_on, ends_on, ...of]: readonly unknown[]) {
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

/** Joins to a posting `p` of an entry `e` what says whether it takes back a posting of another entry, `o`. */
export const COUNTED_AS = `left join ${tableOf(entries)} o
        on o.org = e.org and o.wallet = e.wallet and o.id = e.reverses
      cross join lateral (
        select o.id is not null and (e.taken_back is null or p.line < e.taken_back) as is_back) t`
/** A column of the entry that a posting counts as: what takes an entry back counts as that entry does. */
export const countedAs = (column: string): string => `(case when t.is_back then o.${column} else e.${column} end)`

/**
 * What left asset and liability accounts on each day and in each currency, as decimals: more came in where it is below
 * zero. What takes an entry back counts as that entry does.
 */
export function spentStatement(org: string, { of }: Budget, { from, to }: Span, then: bigint | undefined): Statement {
  const values: unknown[] = [org, from, to]
  const put = (value: unknown) => `$${values.push(value) + 1}`
  const where = ['e.org = $2', 'not p.external', `b.type in ('asset', 'liability')`]
  where.push('p.effective_on >= $3', 'p.effective_on <= $4')
  if (then !== undefined) where.push(`p.position <= ${put(then)}::bigint`)
  if (of.wallet !== null) where.push(`e.wallet = ${put(of.wallet)}`)
  if (of.project !== null) where.push(`${countedAs('project')} = ${put(of.project)}`)
  if (of.counterparty !== null) where.push(`${countedAs('counterparty')} = ${put(of.counterparty)}`)
  if (of.tag !== null) where.push(`${countedAs('tags')} @> jsonb_build_array(${put(of.tag)}::text)`)
  const text = `select c.position, c.stalled, s.* from ${checkpointsSql(OF_BUDGETS)} left join (
      select p.effective_on, p.currency,
        sum(-p.amount * ('1e-' || coalesce(p.places, b.minor_places))::numeric)::text as spent
      from ${tableOf(entries)} e
      join ${tableOf(postings)} p on p.org = e.org and p.wallet = e.wallet and p.revision = e.revision
      join ${tableOf(balances)} b
        on b.org = p.org and b.wallet = p.wallet and b.account = p.account and b.currency = p.currency
      ${COUNTED_AS}
      where ${where.join(' and ')} group by p.effective_on, p.currency) s on true order by s.currency, s.effective_on`
  return { of: OF_BUDGETS, text, values }
}

type Day = { readonly day: string; readonly currency: string; readonly spent: Decimal }

function dayOf([, , day, currency, spent]: readonly string[]): Day {
  const { digits, scale } = decimalOf(spent!)
  const { amount, places } = coarsest(digits, scale, placesOf(currency!) ?? 0)
  return { day: day!, currency: currency!, spent: { digits: amount, scale: places } }
}

/** Periods of a budget by the rows of `spentStatement`, in a unit of `places` that is fine enough for all of them. */
export function actualsOf(budget: Budget, spans: readonly Span[], rows: readonly (readonly unknown[])[]) {
  const days = rows.filter(row => row[2] !== null).map(row => dayOf(row as readonly string[]))
  const own = days.filter(day => day.currency === budget.currency)
  const places = Math.max(budget.places, ...own.map(({ spent }) => spent.scale))
  return { places, periods: spans.map(span => actualOf(span, { ...budget, places }, days)) }
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
