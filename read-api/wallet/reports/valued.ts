/** A report in one currency: what its rows are worth on a day, and what they add up to. */
import { type Fraction, rounded, tenTo } from '../../../domain/wallet/ratetable/decimal.ts'
import { exchanged, type Rate, type Way, waysTo } from '../../../domain/wallet/ratetable/exchange.ts'
import { rateUnknown } from '../valuing.ts'

/** The currency that a report is in, its decimal places, and the day of the rates. */
export type Target = { readonly currency: string; readonly places: number; readonly day: string }

type Money = { readonly currency: string; readonly places: number; readonly [name: string]: unknown }
export type Made = { readonly totals: readonly Money[]; readonly [section: string]: readonly Money[] }

/**
 * The report with the `value` of each row, and with `total`: its totals, added up exactly and rounded once. Throws
 * `rate_unknown` for a currency that no rates lead from.
 */
export function valuedIn({ totals, ...sections }: Made, target: Target, rates: readonly Rate[]) {
  const ways = waysTo(target.currency, rates)
  const wayOf = (currency: string): Way => {
    const way = ways.get(currency)
    if (!way) throw rateUnknown(currency, target.currency, target.day)
    return way
  }
  const value = ({ currency, places, balance }: Money) =>
    String(exchanged(BigInt(balance as string), wayOf(currency), { from: places, to: target.places }))
  const valued = Object.entries(sections).map(([name, rows]) => [
    name,
    rows.map(row => ({ ...row, value: value(row) })),
  ])
  const names = Object.keys(totals[0] ?? {}).filter(name => name !== 'currency' && name !== 'places')
  const amounts = names.map(name => {
    const sum = totals.reduce((sum, one) => plus(sum, worthOf(BigInt(one[name] as string), one, wayOf)), NOTHING)
    return [name, String(rounded({ n: sum.n * tenTo(target.places), d: sum.d }))]
  })
  const used = new Set(totals.flatMap(({ currency }) => wayOf(currency).rates))
  return {
    total: { ...target, ...Object.fromEntries(amounts), rates: [...used] },
    totals,
    ...Object.fromEntries(valued),
  }
}

const NOTHING: Fraction = { n: 0n, d: 1n }
const plus = (a: Fraction, b: Fraction): Fraction =>
  a.d === b.d ? { n: a.n + b.n, d: a.d } : { n: a.n * b.d + b.n * a.d, d: a.d * b.d }

function worthOf(amount: bigint, { currency, places }: Money, wayOf: (currency: string) => Way): Fraction {
  const { worth } = wayOf(currency)
  return { n: amount * worth.n, d: worth.d * tenTo(places) }
}
