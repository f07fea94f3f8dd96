/** What answers in one currency have in common: their parameters, their rates, and how amounts are valued. */
import { z } from 'zod'
import { KogiError } from '../../domain/kernel/errors.ts'
import type { Parameter } from '../../domain/kernel/route.ts'
import { currency, date, id, object } from '../../domain/kernel/schema.ts'
import { placesOf } from '../../domain/record/currencies.ts'
import { positiveDecimal } from '../../domain/record/decimal.ts'
import { asOfParameter } from '../as-of.ts'
import { inQuery, invalidParameter, listed, type Queries, severalInQuery, tokenParameters } from '../parameters.ts'
import { dayRatesSql } from './day-rates.ts'

export const placesText = z.string().regex(/^(0|[1-9]|1[0-8])$/, 'must be a whole number from 0 to 18')

/** Parameters of every answer that is made of rates. */
export const ratesParameters: readonly Parameter[] = [
  inQuery(
    'day',
    date,
    'day of the rates: those of the last day before count where that day has none; today if left out',
  ),
  severalInQuery('source', id('rate table'), 'only rates of these rate tables'),
  asOfParameter,
  ...tokenParameters,
]

/** A rate that an answer was made of. */
export const usedRate = object({
  source: id('rate table'),
  base: currency,
  quote: currency,
  day: date,
  rate: positiveDecimal,
}).meta({ title: 'UsedRate' })

export const dayOf = ({ day = new Date().toISOString().slice(0, 10) }: Queries): string => day

/** A statement in the making whose `$2` is the org and `$3` the day of its rates. */
export function ratesScope(org: string, query: Queries, asOf: bigint | undefined) {
  const values: unknown[] = [org, dayOf(query)]
  const put = (value: unknown) => `$${values.push(value) + 1}`
  const then = asOf === undefined ? undefined : put(asOf)
  const sources = query.source === undefined ? {} : { sources: put(listed(query.source)) }
  return { values, put, then, rates: dayRatesSql('$3', { then, ...sources }) }
}

/** The decimal places that a parameter names, or those of a currency of ISO 4217. */
export function placesIn(query: Queries, name: string, code: string): number {
  const known = query[name] === undefined ? placesOf(code) : Number(query[name])
  if (known === undefined) throw invalidParameter(name, `must be given: ${code} is no ISO 4217 code`)
  return known
}

/** The error where nothing says what a currency is worth in another on a day. */
export const rateUnknown = (from: string, to: string, day: string) =>
  new KogiError('rate_unknown', `No rates lead from ${from} to ${to} on ${day}.`, [
    { field: 'from', message: from },
    { field: 'to', message: to },
    { field: 'day', message: day },
  ])
