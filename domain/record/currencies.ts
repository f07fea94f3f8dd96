import { rejected } from '../kernel/errors.ts'
import { integer } from '../kernel/schema.ts'

/**
 * Decimal places of a currency's minor unit (ISO 4217, list one). Every active code has two, but for these; codes
 * beyond ISO 4217 (commodities, tokens) have no entry and their places must be named when an account is opened.
 */
const PLACES: Readonly<Record<string, number>> = {
  ...Object.fromEntries(
    (
      'AED AFN ALL AMD ANG AOA ARS AUD AWG AZN BAM BBD BDT BGN BMD BND BOB BRL BSD BTN BWP BYN BZD CAD CDF CHF CNY ' +
      'COP CRC CUP CVE CZK DKK DOP DZD EGP ERN ETB EUR FJD FKP GBP GEL GHS GIP GMD GTQ GYD HKD HNL HTG HUF IDR ILS ' +
      'INR IRR JMD KES KGS KHR KPW KYD KZT LAK LBP LKR LRD LSL MAD MDL MGA MKD MMK MNT MOP MRU MUR MVR MWK MXN MYR ' +
      'MZN NAD NGN NIO NOK NPR NZD PAB PEN PGK PHP PKR PLN QAR RON RSD RUB SAR SBD SCR SDG SEK SGD SHP SLE SOS SRD ' +
      'SSP STN SVC SYP SZL THB TJS TMT TOP TRY TTD TWD TZS UAH USD UYU UZS VED VES WST XCD YER ZAR ZMW ZWG'
    )
      .split(' ')
      .map(code => [code, 2]),
  ),
  ...Object.fromEntries(
    'BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX VND VUV XAF XOF XPF'.split(' ').map(code => [code, 0]),
  ),
  ...Object.fromEntries('BHD IQD JOD KWD LYD OMR TND'.split(' ').map(code => [code, 3])),
}

/** All currencies of ISO 4217 with their decimal places. */
export const ISO_PLACES: readonly (readonly [code: string, places: number])[] = Object.entries(PLACES)

/** Decimal places of an ISO 4217 currency, or `undefined` for any other commodity. */
export const placesOf = (currency: string): number | undefined =>
  Object.hasOwn(PLACES, currency) ? PLACES[currency] : undefined

/**
 * An amount as people read it: `12.30 EUR`. `places` are its decimal places, those of ISO 4217 where nothing is said;
 * the amount of a commodity whose places nobody says is given in its minor units.
 */
export function moneyText(amount: bigint, currency: string, places = placesOf(currency)): string {
  if (places === undefined) return `${amount} minor units of ${currency}`
  const digits = String(amount < 0n ? -amount : amount).padStart(places + 1, '0')
  const whole = digits.slice(0, digits.length - places)
  const text = places === 0 ? whole : `${whole}.${digits.slice(-places)}`
  return `${amount < 0n ? '-' : ''}${text} ${currency}`
}

/** Decimal places as commands and events have them. */
export const places = integer(0, 30).meta({
  description: 'decimal places of the amount: needed where the currency is not of ISO 4217',
})

/** Codes of the rejections where places are not known, or others than those of the currency. */
export type PlacesCodes = { readonly unknown: string; readonly mismatch: string }

/** The decimal places of amounts: those of the currency, or those that a command names where it is not of ISO 4217. */
export function placesFor(currency: string, places: number | undefined, codes: PlacesCodes): number {
  const known = placesOf(currency)
  if (known !== undefined && places !== undefined && places !== known) {
    throw rejected(codes.mismatch, 'The currency has other decimal places.', { currency, places: known })
  }
  const found = known ?? places
  if (found === undefined) {
    throw rejected(codes.unknown, 'Not an ISO 4217 code: name the decimal `places` of the amount.', { currency })
  }
  return found
}
