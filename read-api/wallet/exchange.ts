/** `GET /kwlt/exchange`: what one currency, or an amount of it, is worth in another on a day. */
import { z } from 'zod'
import { KogiError } from '../../domain/kernel/errors.ts'
import type { Parameter, Route } from '../../domain/kernel/route.ts'
import { currency, date, id, integer, list, minorUnits, object } from '../../domain/kernel/schema.ts'
import { positiveDecimal } from '../../domain/record/decimal.ts'
import { approximated } from '../../domain/wallet/ratetable/decimal.ts'
import { exchanged, waysTo } from '../../domain/wallet/ratetable/exchange.ts'
import { placesOf } from '../../domain/wallet/wallet/currencies.ts'
import { asOfErrors, asOfParameter, wantedOf } from '../as-of.ts'
import { checkpointsSql, positioned, type ReadStore, read, readErrors } from '../consistency.ts'
import {
  inQuery,
  invalidParameter,
  listed,
  type Queries,
  queriesOf,
  severalInQuery,
  tokenParameters,
} from '../parameters.ts'
import { DAY_RATES_OF, dayRatesSql, ratesIn } from './day-rates.ts'

/** Decimal places of a rate that is made of others, in answers. */
const RATE_PLACES = 18

export const placesText = z.string().regex(/^(0|[1-9]|1[0-8])$/, 'must be a whole number from 0 to 18')

/** Parameters of every answer that is given in one currency. */
const valuationParameters: readonly Parameter[] = [
  inQuery(
    'day',
    date,
    'day of the rates: those of the last day before count where that day has none; today if left out',
  ),
  severalInQuery('source', id('rate table'), 'only rates of these rate tables'),
  asOfParameter,
  ...tokenParameters,
]

const parameters: readonly Parameter[] = [
  {
    ...inQuery('from', currency.meta({ examples: ['EUR'] }), 'currency, or symbol of what has a price'),
    required: true,
  },
  { ...inQuery('to', currency.meta({ examples: ['USD'] }), 'currency to give it in'), required: true },
  inQuery('amount', minorUnits, 'amount of `from` in minor units'),
  inQuery('places', placesText, 'decimal places of `amount`: those of ISO 4217 if left out'),
  inQuery('to_places', placesText, 'decimal places of `result`: those of ISO 4217 if left out'),
  ...valuationParameters,
]

/** A rate that an answer was made of. */
export const usedRate = object({
  source: id('rate table'),
  base: currency,
  quote: currency,
  day: date,
  rate: positiveDecimal,
})

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

const today = (): string => new Date().toISOString().slice(0, 10)

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
    const { from, to, day = today(), amount } = query
    if (from === undefined) throw invalidParameter('from', 'must be given')
    if (to === undefined) throw invalidParameter('to', 'must be given')
    const wanted = await wantedOf(deps, request, query)
    const values: unknown[] = [request.principal.org, day]
    const text = ratesStatement(query, values, wanted.asOf?.position)
    const { rows, position } = await read(deps, request, { of: DAY_RATES_OF, text, values }, wanted)
    const way = waysTo(to, ratesIn(rows[0]![2])).get(from)
    if (!way) throw rateUnknown(from, to, day)
    const found = { from, to, day, rate: approximated(way.worth, RATE_PLACES), rates: way.rates }
    const asked = amount === undefined ? {} : exchangeOf(query, way)
    return { data: { ...found, ...asked }, ...positioned(position, wanted.asOf) }
  },
})

function ratesStatement({ source }: Queries, values: unknown[], asOf: bigint | undefined): string {
  const put = (value: unknown) => `$${values.push(value) + 1}`
  const then = asOf === undefined ? undefined : put(asOf)
  const sources = source === undefined ? {} : { sources: put(listed(source)) }
  return `select c.position, c.stalled, ${dayRatesSql('$3', { then, ...sources })} from ${checkpointsSql(DAY_RATES_OF)}`
}

function exchangeOf(query: Queries, way: Parameters<typeof exchanged>[1]) {
  const amount = BigInt(query.amount!)
  const from = placesIn(query, 'places', query.from!)
  const to = placesIn(query, 'to_places', query.to!)
  return { amount: String(amount), places: from, result: String(exchanged(amount, way, { from, to })), to_places: to }
}

function placesIn(query: Queries, name: 'places' | 'to_places', code: string): number {
  const known = query[name] === undefined ? placesOf(code) : Number(query[name])
  if (known === undefined) throw invalidParameter(name, `must be given: ${code} is no ISO 4217 code`)
  return known
}

/** The error where no rates lead from one currency to another. */
export const rateUnknown = (from: string, to: string, day: string) =>
  new KogiError('rate_unknown', `No rates lead from ${from} to ${to} on ${day}.`, [
    { field: 'from', message: from },
    { field: 'to', message: to },
    { field: 'day', message: day },
  ])
