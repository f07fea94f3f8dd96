/** What a journal's commodities are called in a wallet, and how many decimal places they have there. */

import { placesOf } from '../../domain/record/currencies.ts'
import { at, type Exact, shortest, written } from '../../domain/wallet/statement/exact.ts'
import { type Amount, ImportRefused, isNothing, type Journal, type Place } from './journal.ts'
import { checkCommodity } from './limits.ts'

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

/** A currency as the wallet has it. */
export type Currency = {
  readonly name: string
  /** Decimal places of amounts that name none. */
  readonly places: number
  /** Whether ISO 4217 fixes them; amounts of other currencies may be finer. */
  readonly fixed: boolean
}

/** The currency of each commodity of a journal, by the commodity's name there. */
export type Currencies = ReadonlyMap<string, Currency>

/** What each commodity of the journal is in the wallet that has `opened` some of them. */
export function currenciesOf(
  journal: Journal,
  given: CurrencyNames,
  opened: (currency: string) => number | undefined,
): Currencies {
  const names = currencyNames(journal, given)
  const places = currencyPlaces(journal, names, opened)
  return new Map(
    [...names].map(([commodity, name]) => [
      commodity,
      { name, places: places.get(name)!, fixed: placesOf(name) !== undefined },
    ]),
  )
}

/**
 * Names every commodity of the journal: as `given`, else its usual currency, else as it stands, spaces as `_`. Refuses
 * two commodities that would become one currency unasked, since the journal keeps them apart.
 */
function currencyNames(journal: Journal, given: CurrencyNames): CurrencyNames {
  const names = new Map<string, string>()
  const taken = new Map<string, string>()
  for (const { commodity, place } of amountsOf(journal)) {
    if (names.has(commodity)) continue
    const name = given.get(commodity) ?? SYMBOLS.get(commodity) ?? commodity.replaceAll(/\s/g, '_')
    checkCommodity(commodity, name, place)
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
function currencyPlaces(
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

/** An amount in minor units, or in finer ones that `places` names. */
export type Units = { readonly amount: bigint; readonly places?: number }

/**
 * An amount in units of the wallet, finer than the minor unit only where the amount needs it. Refuses more decimal
 * places than the currency can have.
 */
export function unitsOf(amount: Exact & { readonly commodity: string }, currency: Currency, place: Place): Units {
  const { name, places, fixed } = currency
  const short = shortest(amount)
  if (short.places <= places) return { amount: at(short, places) }
  if (!fixed && short.places <= PLACES_MAX) return { amount: short.digits, places: short.places }
  const what = `${written(short)} ${amount.commodity} has ${short.places} decimal places; ${name} has at most `
  const option = `--commodity '${amount.commodity}=${name}-exact'`
  const help = `Mend the amount, or keep ${amount.commodity} as a commodity of its own: ${option}.`
  const message = fixed ? `${what}${places} (ISO 4217). ${help}` : `${what}${PLACES_MAX}. Round the amount.`
  throw new ImportRefused('amount_too_precise', message, place)
}

function* amountsOf(journal: Journal): Generator<Amount & { readonly place: Place }> {
  for (const { postings, place } of journal) {
    for (const amount of postings.flatMap(({ amounts }) => amounts)) if (!isNothing(amount)) yield { ...amount, place }
  }
}
