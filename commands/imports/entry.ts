/** The entry that a row of a statement becomes. */
import { KogiError } from '../../domain/kernel/errors.ts'
import { placesOf } from '../../domain/record/currencies.ts'
import { at, type Exact, negative, shortest, written } from '../../domain/wallet/statement/exact.ts'
import type { Step } from './draft.ts'
import { type BankRow, clipped } from './rows.ts'

/** Decimal places that an amount may have. */
export const PLACES_MAX = 30

/** What a refusal names a row by. */
export const placeOf = ({ line }: { readonly line: number }): string => `line ${line}`

type Entry = Omit<BankRow, 'key'>

const NAME_MAX = 255

/** The command that posts a row. Throws `import_invalid` for an amount that no entry can have. */
export function postStep(row: Entry, key: string, source: string, placesOf: (currency: string) => number): Step {
  const { account, against, currency, date, words, line, payee, reference, tags } = row
  const amount = unitsOf(row, placesOf(currency))
  // In the order of canonical JSON, which every body is hashed in.
  const body = {
    ...(payee && { counterparty: clipped(payee, NAME_MAX) }),
    ...(words && { description: words }),
    effective_on: date,
    postings: [
      { account, ...amount(row.amount), currency },
      { account: against, ...amount(negative(row.amount)), currency },
    ],
    ...(reference && { reference: clipped(reference, NAME_MAX) }),
    source,
    ...(tags.length > 0 && { tags }),
  }
  return { command: 'post', body, key, place: placeOf({ line }) }
}

/** What an amount in minor units may have. */
const DIGITS_MAX = 38

/** Amounts in units of a currency, or in finer ones where it may have them. */
function unitsOf({ currency, line, amount }: Entry, places: number) {
  const short = shortest(amount)
  const fixed = placesOf(currency)
  if (short.places > PLACES_MAX || (fixed !== undefined && short.places > fixed)) {
    const most = fixed ?? PLACES_MAX
    const what = `${written(short)} ${currency} has ${short.places} decimal places; ${currency} has ${most}`
    const help = `give the bank's ${currency} another name in the rules (currencies)`
    const message = `line ${line}: ${what}. Mend the amount, or ${help}. Nothing was written.`
    throw new KogiError('import_invalid', message, [{ field: `line ${line}`, message: what }])
  }
  if (
    String(short.digits < 0n ? -short.digits : short.digits).length + Math.max(0, places - short.places) >
    DIGITS_MAX
  ) {
    const number = `${written(short).slice(0, 50)} ${currency}`
    const what = `${number} has more than ${DIGITS_MAX} digits, decimal places included`
    throw new KogiError('import_invalid', `line ${line}: ${what}. Mend the amount. Nothing was written.`, [
      { field: `line ${line}`, message: what },
    ])
  }
  const finer = short.places > places
  return (one: Exact) =>
    finer ? { amount: shortest(one).digits, places: short.places } : { amount: at(shortest(one), places) }
}
