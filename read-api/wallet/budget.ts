/** `GET /kwlt/budgets/:id/actuals`: what may be spent in each period, and what was. */
import { z } from 'zod'
import type { Parameter, Route } from '../../domain/kernel/route.ts'
import { boolean, currency, date, id, integer, list, minorUnits, object, oneOf } from '../../domain/kernel/schema.ts'
import { PERIODS, periodsIn, type Span } from '../../domain/wallet/budget/periods.ts'
import { type Fixed, rowAsOf } from '../../projections/rows/as-of.ts'
import { tableOf } from '../../projections/rows/tables.ts'
import { budgets } from '../../projections/wallet/budgets.ts'
import { asOfErrors, asOfParameter, wantedOf } from '../as-of.ts'
import { checkpointsSql, positioned, type ReadStore, read, readErrors, type Statement } from '../consistency.ts'
import { fromPath, inQuery, invalidParameter, type Queries, queriesOf, tokenParameters } from '../parameters.ts'
import { notFound } from '../scope.ts'
import { actualsOf, BUDGET_COLUMNS, budgetOf, spentStatement } from './budget-sums.ts'

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
    const [, , ...columns] = found.rows[0]!
    if (columns[0] === null) throw notFound('budget', [name], wanted.asOf)
    const budget = budgetOf(columns)
    const spans = periodsIn(asked, budget.period, budget)
    if (spans.length > PERIODS_MAX) throw invalidParameter('to', `must lie at most ${PERIODS_MAX} periods behind from`)
    const whole = { from: spans[0]?.from ?? asked.from, to: spans.at(-1)?.to ?? asked.to }
    const { rows, position } = await read(deps, request, spentStatement(org, budget, whole, then), wanted)
    const data = { budget: name, currency: budget.currency, period: budget.period, ...actualsOf(budget, spans, rows) }
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

function budgetStatement(names: readonly string[], then: bigint | undefined): Statement {
  const fixed: Fixed = [
    ['org', '$2'],
    ['id', '$3'],
  ]
  const table = tableOf(budgets)
  const row = then === undefined ? `(select * from ${table} where org = $2 and id = $3)` : rowAsOf(budgets, fixed, '$4')
  const text = `select c.position, c.stalled, ${BUDGET_COLUMNS.map(column => `b.${column}`).join(', ')}
    from ${checkpointsSql([budgets])} left join ${row} b on true`
  return { of: [budgets], text, values: [...names, ...(then === undefined ? [] : [then])] }
}
