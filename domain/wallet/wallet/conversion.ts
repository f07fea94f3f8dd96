/** Money of one currency for money of another: the postings of a conversion, exact to the last digit. */
import type { Context } from '../../kernel/aggregate.ts'
import { rejected } from '../../kernel/errors.ts'
import { decimalOf, rounded, tenTo } from '../ratetable/decimal.ts'
import { mustHave, post } from './entry.ts'
import type { commands } from './messages.ts'
import { coarsest } from './places.ts'
import { minorPlaces, type OpenWallet } from './state.ts'

type Command = ReturnType<(typeof commands)['convert']['parse']>
/** Minor units of a currency, with their decimal places. */
type Money = { readonly account: string; readonly currency: string; readonly amount: bigint; readonly places: number }

export type Conversion = {
  readonly from: Money
  /** Without an amount it is what the rate gives, rounded half up. */
  readonly to: Omit<Money, 'amount'> & { readonly amount?: bigint | undefined }
  /** Units of the other currency for one unit of `base`, a decimal; `base` is one of the two. */
  readonly rate: { readonly base: string; readonly rate: string }
  /** The accounts of the two sides of the exchange, and of what is rounded. */
  readonly exchange: string
  readonly rounding: string
}

/** Decimal places that a posting can name. */
const PLACES_MAX = 30

/**
 * The postings of a conversion, which balance in both currencies. What is exchanged by the rate is exact in the
 * currency that the rate is quoted in; the difference to what moves there is posted as rounding. Throws
 * `conversion_off_rate` where what arrives is not what the rate gives, up or down to the next minor unit.
 */
export function plan(conversion: Conversion): readonly Money[] {
  const { from, rate, exchange, rounding } = conversion
  const to = { ...conversion.to, amount: targetOf(conversion) }
  const isQuotedInTarget = rate.base === from.currency
  const [base, quote] = isQuotedInTarget ? [from, to] : [to, from]
  const { digits, scale } = decimalOf(rate.rate)
  const exact = coarsest(base.amount * digits, base.places + scale, 0)
  const places = Math.max(exact.places, quote.places)
  if (places > PLACES_MAX) {
    throw rejected('conversion_too_fine', 'What the rate gives has too many decimal places.', { most: PLACES_MAX })
  }
  const inQuote = exact.amount * tenTo(places - exact.places)
  const left = inQuote - quote.amount * tenTo(places - quote.places)
  // The exchange takes what the source gives, and gives what the target takes.
  const sign = isQuotedInTarget ? 1n : -1n
  const posting = (account: string, { currency }: { readonly currency: string }, amount: bigint, places: number) => ({
    account,
    currency,
    amount,
    places,
  })
  return [
    posting(from.account, from, -from.amount, from.places),
    posting(to.account, to, to.amount, to.places),
    posting(exchange, base, sign * base.amount, base.places),
    posting(exchange, quote, -sign * inQuote, places),
    ...(left === 0n ? [] : [posting(rounding, quote, sign * left, places)]),
  ]
}

/** What arrives: what the rate gives, or the amount that is named, if that is within a minor unit of it. */
function targetOf({ from, to, rate }: Conversion): bigint {
  if (from.currency === to.currency) {
    throw rejected('conversion_within_currency', 'Both are the same currency: post an entry.', {
      currency: to.currency,
    })
  }
  if (rate.base !== from.currency && rate.base !== to.currency) {
    throw rejected('conversion_rate_of_others', 'The base of the rate is neither of the two.', { base: rate.base })
  }
  const { digits, scale } = decimalOf(rate.rate)
  const [n, d] = rate.base === from.currency ? [digits, tenTo(scale)] : [tenTo(scale), digits]
  const exact = { n: from.amount * n * tenTo(to.places), d: d * tenTo(from.places) }
  const { amount = rounded(exact) } = to
  if (amount === 0n) throw rejected('conversion_too_small', 'Nothing of it would arrive.', { currency: to.currency })
  const off = amount * exact.d - exact.n
  if (off < exact.d && off > -exact.d) return amount
  throw rejected('conversion_off_rate', 'The rate gives another amount: name the rate that was used.', {
    amount,
    expected: rounded(exact),
  })
}

/** The entry of a conversion, with the rate that it used. */
export function convert(open: OpenWallet, body: Command, context: Context) {
  const { from_account, from_currency, amount, to_account, to_currency, to_amount, ...rest } = body
  const { rate, rate_base: base = from_currency, rate_source, rate_day, exchange_account, rounding_account } = rest
  const sides = [
    { account: from_account, currency: from_currency },
    { account: to_account, currency: to_currency },
  ] as const
  for (const side of sides) mustHave(open, side)
  const [from, to] = sides.map(side => ({ ...side, places: minorPlaces(open, side.currency)! })) as [Side, Side]
  const postings = plan({
    from: { ...from, places: rest.places ?? from.places, amount },
    to: { ...to, places: rest.to_places ?? to.places, amount: to_amount },
    rate: { base, rate },
    exchange: exchange_account,
    rounding: rounding_account,
  })
  const { kind = 'conversion', effective_on, description, reference, tags, metadata, project } = rest
  const quote = base === from_currency ? to_currency : from_currency
  const used = { base, quote, rate, ...(rate_source && { source: rate_source }), ...(rate_day && { day: rate_day }) }
  const about = { kind, effective_on, description, reference, tags, metadata, project }
  return post(open, context, { ...about, postings, conversion: used })
}

type Side = { readonly account: string; readonly currency: string; readonly places: number }
