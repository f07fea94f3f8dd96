/** `GET /kwlt/investments/:id/valuation`: what the open lots of a position are worth on a day. */
import { z } from 'zod'
import type { Parameter, Route } from '../../domain/kernel/route.ts'
import { currency, date, id, integer, list, minorUnits, object, text, timestamp } from '../../domain/kernel/schema.ts'
import { exchanged, waysTo } from '../../domain/wallet/ratetable/exchange.ts'
import { type Fixed, rowAsOf, tableAsOf } from '../../projections/rows/as-of.ts'
import { tableOf } from '../../projections/rows/tables.ts'
import { investments } from '../../projections/wallet/investments.ts'
import { lots } from '../../projections/wallet/lots.ts'
import { asOfErrors, wantedOf } from '../as-of.ts'
import { checkpointsSql, positioned, type ReadStore, read, readErrors } from '../consistency.ts'
import { fromPath, inQuery, queriesOf } from '../parameters.ts'
import { notFound } from '../scope.ts'
import { DAY_RATES_OF, ratesIn } from './day-rates.ts'
import { dayOf, placesIn, placesText, ratesParameters, ratesScope, rateUnknown, usedRate } from './valuing.ts'

const parameters: readonly Parameter[] = [
  { name: 'id', in: 'path', schema: id('investment'), description: 'id of the investment' },
  inQuery('currency', currency, 'currency to give it in: that of the position, if left out'),
  inQuery('places', placesText, 'decimal places of values in another currency: those of ISO 4217 if left out'),
  ...ratesParameters,
]

const worth = {
  quantity: minorUnits,
  cost: minorUnits.meta({ description: 'what it cost; in another currency by the rates of the day' }),
  value: minorUnits,
  gain: minorUnits.meta({ description: '`value` without `cost`: not realised' }),
}
const response = object({
  investment: id('investment'),
  asset: currency,
  currency,
  places: integer(0, 18),
  quantity_places: integer(0, 18),
  day: date,
  rates: list(usedRate, 3).meta({ description: 'the rates from the asset to the currency' }),
  ...worth,
  lots: list(object({ lot: id('lot'), account: text(255), acquired_at: timestamp, ...worth }), 1_000_000),
}).meta({ title: 'Valuation' })

const OF = [...DAY_RATES_OF, investments, lots]
/** Columns of the answer: those of the position, then those of a lot. */
const POSITION = ['asset', 'currency', 'places', 'quantity_places'] as const
const LOT = ['lot', 'account', 'acquired_at', 'quantity', 'cost'] as const

/** The route of what a position is worth. */
export const valuationRoute = (deps: ReadStore): Route => ({
  method: 'GET',
  path: '/kwlt/investments/:id/valuation',
  operationId: 'getValuation',
  summary: 'What the lots of a position are worth on a day, and what selling them would gain.',
  permission: 'wallet.investments.read',
  tag: 'kwlt',
  parameters,
  response,
  errors: { ...asOfErrors, 404: ['not_found', 'rate_unknown'], ...readErrors },
  async handle(request) {
    const query = queriesOf(request, parameters)
    const name = fromPath(request, 'id', investments.row.shape.id)
    const wanted = await wantedOf(deps, request, query)
    const { values, put, then, rates } = ratesScope(request.principal.org, query, wanted.asOf?.position)
    const statement = { of: OF, text: statementText(rates, put(name), then), values }
    const { rows, position } = await read(deps, request, statement, wanted)
    const [, , known, asset, own, ownPlaces, quantityPlaces] = rows[0]!
    if (asset === null) throw notFound('investment', [name], wanted.asOf)
    const code = query.currency ?? String(own)
    const places = code === own ? Number(ownPlaces) : placesIn(query, 'places', code)
    const ways = waysTo(code, ratesIn(known))
    const [price, money] = [ways.get(String(asset)), ways.get(String(own))]
    if (!price || !money) throw rateUnknown(String(price ? own : asset), code, dayOf(query))
    const held = rows
      .filter(row => row[7] !== null)
      .map(([, , , , , , , lot, account, acquired_at, amount, paid]) => {
        const quantity = BigInt(amount as string)
        const cost = exchanged(BigInt(paid as string), money, { from: Number(ownPlaces), to: places })
        const value = exchanged(quantity, price, { from: Number(quantityPlaces), to: places })
        return { lot, account, acquired_at, quantity, cost, value, gain: value - cost }
      })
    const sum = (of: 'quantity' | 'cost' | 'value' | 'gain') => held.reduce((total, lot) => total + lot[of], 0n)
    const totals = { quantity: sum('quantity'), cost: sum('cost'), value: sum('value'), gain: sum('gain') }
    const unit = { asset, currency: code, places, quantity_places: quantityPlaces }
    const data = { investment: name, ...unit, day: dayOf(query), rates: price.rates, ...totals, lots: held }
    return { data: z.encode(response, data as never), ...positioned(position, wanted.asOf) }
  },
})

function statementText(rates: string, name: string, then: string | undefined): string {
  const position: Fixed = [
    ['org', '$2'],
    ['id', name],
  ]
  const within: Fixed = [
    ['org', '$2'],
    ['investment', name],
  ]
  const where = (fixed: Fixed) => fixed.map(([column, value]) => `x.${column} = ${value}`).join(' and ')
  const own =
    then === undefined
      ? `(select * from ${tableOf(investments)} x where ${where(position)})`
      : rowAsOf(investments, position, then)
  const open =
    then === undefined ? `(select * from ${tableOf(lots)} x where ${where(within)})` : tableAsOf(lots, within, then)
  return `select c.position, c.stalled, r.rates, ${POSITION.map(column => `i.${column}`).join(', ')},
      ${LOT.map(column => `l.${column}`).join(', ')}
    from ${checkpointsSql(OF)} cross join (select ${rates} as rates) r left join ${own} i on true
    left join ${open} l on l.quantity > 0 order by l.acquired_at, l.lot`
}
