/** `GET /kwlt/exchange`: what one currency, or an amount of it, is worth in another on a day. */
import { z } from 'zod'
import type { Parameter, Route } from '../../domain/kernel/route.ts'
import { currency, date, integer, list, minorUnits, object } from '../../domain/kernel/schema.ts'
import { approximated } from '../../domain/wallet/ratetable/decimal.ts'
import { exchanged, type Way, waysTo } from '../../domain/wallet/ratetable/exchange.ts'
import { asOfErrors, wantedOf } from '../as-of.ts'
import { checkpointsSql, positioned, type ReadStore, read, readErrors } from '../consistency.ts'
import { inQuery, invalidParameter, type Queries, queriesOf } from '../parameters.ts'
import { DAY_RATES_OF, ratesIn } from './day-rates.ts'
import { dayOf, placesIn, placesText, ratesParameters, ratesScope, rateUnknown, usedRate } from './valuing.ts'

/** Decimal places of a rate that is made of others, in answers. */
const RATE_PLACES = 18

const parameters: readonly Parameter[] = [
  {
    ...inQuery('from', currency.meta({ examples: ['EUR'] }), 'currency, or symbol of what has a price'),
    required: true,
  },
  { ...inQuery('to', currency.meta({ examples: ['USD'] }), 'currency to give it in'), required: true },
  inQuery('amount', minorUnits, 'amount of `from` in minor units'),
  inQuery('places', placesText, 'decimal places of `amount`: those of ISO 4217 if left out'),
  inQuery('to_places', placesText, 'decimal places of `result`: those of ISO 4217 if left out'),
  ...ratesParameters,
]

const places = integer(0, 18)
const response = object({
  from: currency,
  to: currency,
  day: date,
  rate: z.string().meta({
    description:
      'what one unit of `from` is worth in `to`, rounded to 18 decimal places; `result` is made of the exact one',
  }),
  rates: list(usedRate, 3).meta({ description: 'the rates that it was made of, from `from` to `to`' }),
  amount: minorUnits.optional(),
  places: places.optional(),
  result: minorUnits.optional().meta({ description: '`amount` in minor units of `to`, rounded half up' }),
  to_places: places.optional(),
}).meta({ title: 'Exchange' })

/** The route of what a currency is worth. */
export const exchangeRoute = (deps: ReadStore): Route => ({
  method: 'GET',
  path: '/kwlt/exchange',
  operationId: 'getExchange',
  summary: 'What one currency, or an amount of it, is worth in another on a day, and the rates that this is made of.',
  permission: 'wallet.rates.read',
  tag: 'kwlt',
  parameters,
  response,
  errors: { ...asOfErrors, 404: ['rate_unknown'], ...readErrors },
  async handle(request) {
    const query = queriesOf(request, parameters)
    const { from, to, amount } = query
    if (from === undefined) throw invalidParameter('from', 'must be given')
    if (to === undefined) throw invalidParameter('to', 'must be given')
    const wanted = await wantedOf(deps, request, query)
    const { values, rates } = ratesScope(request.principal.org, query, wanted.asOf?.position)
    const text = `select c.position, c.stalled, ${rates} from ${checkpointsSql(DAY_RATES_OF)}`
    const { rows, position } = await read(deps, request, { of: DAY_RATES_OF, text, values }, wanted)
    const day = dayOf(query)
    const way = waysTo(to, ratesIn(rows[0]![2])).get(from)
    if (!way) throw rateUnknown(from, to, day)
    const found = { from, to, day, rate: approximated(way.worth, RATE_PLACES), rates: way.rates }
    const asked = amount === undefined ? {} : exchangeOf(query, way)
    return { data: { ...found, ...asked }, ...positioned(position, wanted.asOf) }
  },
})

function exchangeOf(query: Queries, way: Way) {
  const amount = BigInt(query.amount!)
  const from = placesIn(query, 'places', query.from!)
  const to = placesIn(query, 'to_places', query.to!)
  return { amount: String(amount), places: from, result: String(exchanged(amount, way, { from, to })), to_places: to }
}
