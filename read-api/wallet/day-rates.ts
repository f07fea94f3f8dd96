/**
 * The rates that count on a day, for answers in one currency. A statement selects `dayRatesSql` beside its own rows, so
 * that rates and rows are of one snapshot; `ratesIn` reads what it gives, and `waysTo` of the domain finds in it what
 * each currency is worth.
 */
import type { Rate } from '../../domain/wallet/ratetable/exchange.ts'
import { tableOf } from '../../projections/rows/tables.ts'
import { ratePairs } from '../../projections/wallet/rate-pairs.ts'
import { rates } from '../../projections/wallet/rates.ts'

/** The read models that `dayRatesSql` reads. */
export const DAY_RATES_OF = [ratePairs, rates]

/**
 * SQL of one JSON value: for each pair of each rate table of the org `$2` its rate on a day, which is that of the day
 * or the last one before, as long as that counts. `day`, `then` (the position of `as_of`) and `sources` (ids of rate
 * tables as `text[]`) are SQL.
 */
export function dayRatesSql(day: string, { then, sources }: { then?: string | undefined; sources?: string }): string {
  // The last word on a day counts; a day whose rate was withdrawn is passed over.
  return `(select coalesce(jsonb_agg(jsonb_build_object('source', r.source, 'base', r.base, 'quote', r.quote,
      'day', r.day, 'rate', r.rate) order by r.day, r.position), '[]')
    from ${tableOf(ratePairs)} p cross join lateral (
      select * from (
        select distinct on (r.day) * from ${tableOf(rates)} r where r.org = p.org and r.source = p.source
          and r.base = p.base and r.quote = p.quote and r.day <= ${day}
          ${then === undefined ? '' : `and r.position <= ${then}::bigint`}
        order by r.day desc, r.position desc) last
      where last.rate is not null order by last.day desc limit 1) r
    where p.org = $2 and p.first_day <= ${day} and r.valid_until >= ${day}
      ${sources === undefined ? '' : `and p.source in (select unnest(${sources}::text[]))`})`
}

/** The value of `dayRatesSql` as rates. */
export const ratesIn = (value: unknown): readonly Rate[] => value as readonly Rate[]
