/** What amounts of many currencies are worth in one: the rule by which rates are chosen and multiplied. */
import { type Fraction, fractionOf, rounded, tenTo, times } from './decimal.ts'

/** Units of `quote` for one unit of `base`, as a source has them for a day. */
export type Rate = {
  readonly source: string
  readonly base: string
  readonly quote: string
  readonly day: string
  readonly rate: string
}

/** How a currency is exchanged: what one unit of it is worth, and the rates that this was made of, in order. */
export type Way = { readonly worth: Fraction; readonly rates: readonly Rate[] }

/** Rates that are multiplied at most: a share in dollars, dollars in euros, euros in yen. */
const RATES_MAX = 3

/**
 * What one unit of each currency is worth in `target`. A rate serves in both directions. Fewer rates win over more;
 * among as few, those whose oldest is newest, and then those through the currencies whose codes come first. Of several
 * rates between two currencies the one of the latest day counts, and of that day the last in the list.
 */
export function waysTo(target: string, rates: readonly Rate[]): ReadonlyMap<string, Way> {
  const between = neighbours(rates)
  const ways = new Map<string, Way>([[target, { worth: { n: 1n, d: 1n }, rates: [] }]])
  let reached: readonly string[] = [target]
  for (let count = 0; count < RATES_MAX && reached.length > 0; count += 1) {
    const found = new Map<string, Way>()
    for (const via of [...reached].sort()) {
      const onward = ways.get(via)!
      for (const [currency, rate] of between.get(via) ?? []) {
        if (ways.has(currency)) continue
        const way = { worth: times(worthIn(via, rate), onward.worth), rates: [rate, ...onward.rates] }
        const other = found.get(currency)
        if (other === undefined || oldest(way) > oldest(other)) found.set(currency, way)
      }
    }
    for (const [currency, way] of found) ways.set(currency, way)
    reached = [...found.keys()]
  }
  return ways
}

/** An amount in minor units, whose decimal places are `from`, exchanged into minor units of `to` decimal places. */
export const exchanged = (amount: bigint, { worth }: Way, places: { readonly from: number; readonly to: number }) =>
  rounded({ n: amount * worth.n * tenTo(places.to), d: worth.d * tenTo(places.from) })

const oldest = ({ rates }: Way): string => rates.map(({ day }) => day).sort()[0]!

/** What one unit of the other currency of a rate is worth in `currency`. */
function worthIn(currency: string, { quote, rate }: Rate): Fraction {
  const { n, d } = fractionOf(rate)
  return quote === currency ? { n, d } : { n: d, d: n }
}

/** Of each currency those that there is a rate with, and the rate. */
function neighbours(rates: readonly Rate[]): ReadonlyMap<string, ReadonlyMap<string, Rate>> {
  const between = new Map<string, Map<string, Rate>>()
  for (const rate of rates) {
    for (const [one, other] of [
      [rate.base, rate.quote],
      [rate.quote, rate.base],
    ] as const) {
      const known = between.get(one) ?? new Map<string, Rate>()
      if ((known.get(other)?.day ?? '') <= rate.day) known.set(other, rate)
      between.set(one, known)
    }
  }
  return between
}
