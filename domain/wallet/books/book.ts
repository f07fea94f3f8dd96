/** Books as they leave the system: what every format is written from. Amounts are exact decimals with their sign. */
import { type Exact, NOTHING, plus } from '../statement/exact.ts'

export type BookPosting = {
  readonly account: string
  readonly currency: string
  readonly amount: Exact
  /** The day that it counts for, where another than that of its entry. */
  readonly date?: string
}

export type BookEntry = {
  readonly id: string
  readonly wallet: string
  readonly date: string
  readonly description: string
  readonly kind: string
  readonly postings: readonly BookPosting[]
  readonly tags: readonly string[]
  readonly reference?: string
  readonly counterparty?: string
  readonly source?: string
  readonly reverses?: string
  readonly postedAt: string
  readonly postedBy: string
}

export type AccountType = 'asset' | 'liability' | 'equity' | 'income' | 'expense'

/** What is in all accounts before the first day. */
export type Held = { readonly account: string; readonly currency: string; readonly amount: Exact }

export type Book = {
  /** Lines that say whose books these are, of when, and as of which position of the log. */
  readonly title: readonly string[]
  /** The first day, where the books do not begin with the first entry. */
  readonly from?: string
  readonly opening: readonly Held[]
  /** By day, those of one day in the order of posting. */
  readonly entries: readonly BookEntry[]
  /** Types of the accounts that have one. */
  readonly types: ReadonlyMap<string, AccountType>
}

/** Takes what is in the accounts before the first day. */
export const OPENING_ACCOUNT = 'external:opening-balance'

/** The first entry of books with a first day: what was in each account. `undefined` where nothing was. */
function openingEntry({ from, opening }: Book): BookEntry | undefined {
  if (from === undefined || opening.length === 0) return undefined
  const currencies = [...new Set(opening.map(({ currency }) => currency))]
  const others = currencies.map(currency => {
    const sum = opening.reduce((sum, one) => (one.currency === currency ? plus(sum, one.amount) : sum), NOTHING)
    return { account: OPENING_ACCOUNT, currency, amount: { digits: -sum.digits, places: sum.places } }
  })
  return {
    id: 'opening',
    wallet: '',
    date: from,
    description: 'Opening balances',
    kind: 'journal',
    postings: [...opening, ...others].filter(({ amount }) => amount.digits !== 0n),
    tags: [],
    postedAt: '',
    postedBy: '',
  }
}

/** All entries, the opening one before the others. */
export function allEntries(book: Book): readonly BookEntry[] {
  const opening = openingEntry(book)
  return opening ? [opening, ...book.entries] : book.entries
}

/** What is in each account at the end, by account and currency. */
export function closingOf(book: Book): readonly Held[] {
  const held = new Map<string, Held>()
  for (const { postings } of allEntries(book)) {
    for (const { account, currency, amount } of postings) {
      const key = JSON.stringify([account, currency])
      const before = held.get(key)?.amount ?? NOTHING
      held.set(key, { account, currency, amount: plus(before, amount) })
    }
  }
  return [...held.values()].sort((a, b) => compare(a.account, b.account) || compare(a.currency, b.currency))
}

/** The last day that a posting counts for; `undefined` where there is none. */
export const lastDay = (book: Book): string | undefined =>
  allEntries(book)
    .flatMap(({ date, postings }) => [date, ...postings.flatMap(posting => posting.date ?? [])])
    .reduce<string | undefined>((last, date) => (last === undefined || date > last ? date : last), undefined)

export const compare = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0)

/** Names in a form that a format can have, each of them once: equal ones get a number. */
export function namesFor(
  names: Iterable<string>,
  to: (name: string, number: number) => string,
): ReadonlyMap<string, string> {
  const found = new Map<string, string>()
  const taken = new Set<string>()
  for (const name of new Set(names)) {
    let number = 1
    while (taken.has(to(name, number))) number += 1
    const made = to(name, number)
    taken.add(made)
    found.set(name, made)
  }
  return found
}

/** A text in one line, without control characters. */
export const oneLine = (text: string): string => text.replaceAll(/[\p{Cc}\p{Zl}\p{Zp}\s]+/gu, ' ').trim()
