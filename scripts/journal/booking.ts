/** The postings of a transaction in units of the wallet, and what had to be rounded for them. */

import {
  type Exact,
  isEqual,
  NOTHING,
  negative,
  plus,
  rounded,
  shortest,
  written,
} from '../../domain/wallet/statement/exact.ts'
import { addUp, coarsest } from '../../domain/wallet/wallet/places.ts'
import { type Currencies, type Currency, type Units, unitsOf } from './commodities.ts'
import {
  type Amount,
  ImportRefused,
  isNothing,
  type JournalPosting,
  type Place,
  placeText,
  type Transaction,
} from './journal.ts'

export type Posting = Units & { readonly account: string; readonly currency: string; readonly effective_on?: string }

/** An amount that the journal leaves to be computed, and that is finer than its currency. */
export type Rounding = {
  readonly place: string
  readonly account: string
  readonly currency: string
  /** Decimal strings: what the journal comes to, and what is booked. */
  readonly exact: string
  readonly booked: string
}

export type Booking = { readonly postings: readonly Posting[]; readonly roundings: readonly Rounding[] }

/** Takes what several computed amounts of one entry lack after each was rounded. */
const ROUNDING_ACCOUNT = 'external:rounding'

/**
 * Books a transaction; no postings where there is nothing to book. A price moves no money: what is bought and what is
 * paid stand in an external conversion account, so that every account holds what the journal says.
 */
export function book(transaction: Transaction, currencies: Currencies): Booking {
  const { postings, place } = transaction
  const booked: Posting[] = []
  const roundings: Rounding[] = []
  for (const posting of postings) {
    for (const amount of posting.amounts.filter(one => !isNothing(one))) {
      if (posting.kind === 'virtual' && amount.digits !== 0n) {
        const message =
          `(${posting.account}) is a virtual posting without another side, and a ledger books both sides. ` +
          'Balance it in brackets, [account], or import what `hledger -f JOURNAL --real print -x -O json` writes.'
        throw new ImportRefused('virtual_posting', message, place)
      }
      const currency = currencies.get(amount.commodity)!
      const account = posting.account || '(unnamed)'
      const exact = isComputed(transaction, posting, amount) ? nearest(amount, currency) : amount
      if (!isEqual(exact, amount)) roundings.push(roundingOf(account, currency, { amount, exact, place }))
      const units = unitsOf({ ...amount, ...exact }, currency, place)
      booked.push({ account, currency: currency.name, ...units, ...(posting.date && { effective_on: posting.date }) })
    }
  }
  if (booked.length < 2 && booked.every(({ amount }) => amount === 0n)) return { postings: [], roundings: [] }
  const priced = postings.some(({ amounts }) => amounts.some(amount => amount.priced))
  const open = priced || roundings.length > 0 ? remainders(booked, currencies) : []
  const account = priced ? `external:conversion:${open.map(({ currency }) => currency).join(':')}` : ROUNDING_ACCOUNT
  return { postings: [...booked, ...open.map(one => ({ account, ...one }))], roundings }
}

/** Whether the journal leaves the amount to be computed, from prices or from a balance: no one wrote its decimals. */
function isComputed({ postings }: Transaction, posting: JournalPosting, amount: Amount): boolean {
  if (amount.priced) return false
  if (posting.asserted) return true
  const computes = postings.some(({ asserted, amounts }) => asserted || amounts.some(({ priced }) => priced))
  if (!computes) return false
  let rest: Exact = NOTHING
  for (const other of postings.filter(({ kind }) => kind === posting.kind).flatMap(({ amounts }) => amounts)) {
    if (other === amount) continue
    if (other.priced && !other.cost) return false
    const { commodity, ...cost } = other.cost ?? other
    if (commodity === amount.commodity) rest = plus(rest, { digits: cost.digits, places: cost.places })
  }
  return isEqual(negative(rest), amount)
}

const nearest = (amount: Amount, { places, fixed }: Currency): Exact => (fixed ? rounded(amount, places) : amount)

type Rounded = { readonly amount: Amount; readonly exact: Exact; readonly place: Place }

const roundingOf = (account: string, { name, places }: Currency, { amount, exact, place }: Rounded): Rounding => ({
  place: placeText(place),
  account,
  currency: name,
  exact: written(shortest(amount)),
  booked: written(rounded(exact, places)),
})

/** What brings each currency to zero, by name of the currency. */
function remainders(postings: readonly Posting[], currencies: Currencies) {
  return [...currencies.values()]
    .map(({ name: currency, places: least }) => {
      const mine = postings.filter(one => one.currency === currency)
      const sum = addUp(
        { amount: 0n, places: least },
        mine.map(({ amount, places = least }) => ({ amount, places })),
      )
      const { amount, places } = coarsest(-sum.amount, sum.places, least)
      return { currency, amount, ...(places !== least && { places }) }
    })
    .filter(({ amount }) => amount !== 0n)
    .sort((a, b) => (a.currency < b.currency ? -1 : 1))
}
