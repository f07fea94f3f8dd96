/** What a journal's commodities are called in a wallet, and how many decimal places they have there. */
import { placesOf } from '../../domain/wallet/wallet/currencies.ts'
import { type Amount, ImportRefused, isNothing, type Journal, type Place, shortest } from './journal.ts'

/** Symbols that stand for one currency nearly everywhere; `--commodity` says otherwise. */
const SYMBOLS: ReadonlyMap<string, string> = new Map([
  ['$', 'USD'],
  ['€', 'EUR'],
  ['£', 'GBP'],
  ['¥', 'JPY'],
  // ISO 4217 has XXX for "no currency", here numbers without a commodity.
  ['', 'XXX'],
])
/** The most decimal places that an account can have. */
const PLACES_MAX = 30

/** Journal commodity → currency of the wallet. */
export type CurrencyNames = ReadonlyMap<string, string>

/**
 * Names every commodity of the journal: as `given`, else its usual currency, else as it stands, spaces as `_`. Refuses
 * two commodities that would become one currency unasked, since the journal keeps them apart.
 */
export function currencyNames(journal: Journal, given: CurrencyNames): CurrencyNames {
  const names = new Map<string, string>()
  const taken = new Map<string, string>()
  for (const { commodity, place } of amountsOf(journal)) {
    if (names.has(commodity)) continue
    const name = given.get(commodity) ?? SYMBOLS.get(commodity) ?? commodity.replaceAll(/\s/g, '_')
    const other = taken.get(name)
    if (other !== undefined && !(given.has(commodity) && given.has(other))) {
      const options = `--commodity '${other}=…' --commodity '${commodity}=…'`
      const message = `"${other}" and "${commodity}" would both become ${name}. Say which is which: ${options}.`
      throw new ImportRefused('commodities_collide', message, place)
    }
    names.set(commodity, name)
    taken.set(name, commodity)
  }
  return names
}

/** Decimal places by currency: those the wallet has, else of ISO 4217, else the most that the journal shows. */
export function currencyPlaces(
  journal: Journal,
  names: CurrencyNames,
  opened: (currency: string) => number | undefined,
): ReadonlyMap<string, number> {
  const places = new Map<string, number>()
  for (const amount of amountsOf(journal)) {
    const currency = names.get(amount.commodity)!
    const fixed = opened(currency) ?? placesOf(currency)
    const shown = Math.min(amount.shown, PLACES_MAX)
    places.set(currency, fixed ?? Math.max(shown, places.get(currency) ?? 0))
  }
  return places
}

/** An amount in minor units. Refuses one that has more decimal places than its currency. */
export function minorUnitsOf(amount: Amount, currency: string, places: number, place: Place): bigint {
  const short = shortest(amount)
  if (short.places > places) {
    const message = `An amount in ${currency} has ${short.places} decimal places; the currency has ${places}.`
    throw new ImportRefused('amount_too_precise', message, place)
  }
  return short.digits * 10n ** BigInt(places - short.places)
}

function* amountsOf(journal: Journal): Generator<Amount & { readonly place: Place }> {
  for (const { postings, place } of journal) {
    for (const amount of postings.flatMap(({ amounts }) => amounts)) if (!isNothing(amount)) yield { ...amount, place }
  }
}
