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

/** What an account holds. */
export type Held = { readonly account: string; readonly currency: string; readonly amount: Exact }

/** What is known of an account of the books without a look at their entries. */
export type BookAccount = {
  readonly account: string
  readonly currency: string
  /** What was posted before the first day, and from then on. */
  readonly before: Exact
  readonly within: Exact
  /** Whether entries of the books post to it. */
  readonly isPosted: boolean
}

/**
 * Books without their entries: enough to write all that stands before and behind these, so that a file of any number of
 * entries is written one entry after another.
 */
export type Book = {
  /** Lines that say whose books these are, of when, and as of which position of the log. */
  readonly title: readonly string[]
  /** What was in all accounts before the first day, as one entry. */
  readonly opening: BookEntry | undefined
  /** What is in each account at the end, by account and currency: every account that an entry names. */
  readonly closing: readonly Held[]
  /** The first day of an entry and the last day that a posting counts for; `undefined` where there is no entry. */
  readonly first: string | undefined
  readonly last: string | undefined
  /** Types of the accounts that have one. */
  readonly types: ReadonlyMap<string, AccountType>
}

/** How a format writes books: what stands before all entries, each entry, what stands behind them. */
export type BookWriter = {
  readonly head: string
  readonly entry: (entry: BookEntry) => string
  readonly tail: string
}

/** Takes what is in the accounts before the first day. */
export const OPENING_ACCOUNT = 'external:opening-balance'

/** Books of accounts; `from` is their first day where they do not begin with the first entry. */
export function bookOf(
  accounts: readonly BookAccount[],
  { title, from, first, last, types }: Pick<Book, 'title' | 'first' | 'last' | 'types'> & { readonly from?: string },
): Book {
  const opening = from === undefined ? undefined : openingEntry(from, accounts)
  const held = new Map<string, Held>()
  const add = ({ account, currency }: Pick<Held, 'account' | 'currency'>, amount: Exact) => {
    const key = JSON.stringify([account, currency])
    held.set(key, { account, currency, amount: plus(held.get(key)?.amount ?? NOTHING, amount) })
  }
  for (const posting of opening?.postings ?? []) add(posting, posting.amount)
  for (const one of accounts) if (one.isPosted) add(one, one.within)
  const isLater = last === undefined || (opening !== undefined && opening.date > last)
  return {
    title,
    opening,
    closing: [...held.values()].sort((a, b) => compare(a.account, b.account) || compare(a.currency, b.currency)),
    first: opening?.date ?? first,
    last: isLater ? opening?.date : last,
    types,
  }
}

/** The first entry of books with a first day: what was in each account. `undefined` where nothing was. */
function openingEntry(date: string, accounts: readonly BookAccount[]): BookEntry | undefined {
  const opening = accounts
    .filter(({ before }) => before.digits !== 0n)
    .map(({ account, currency, before }) => ({ account, currency, amount: before }))
  if (opening.length === 0) return undefined
  const sums = new Map<string, Exact>()
  for (const { currency, amount } of opening) sums.set(currency, plus(sums.get(currency) ?? NOTHING, amount))
  const others = [...sums].map(([currency, { digits, places }]) => {
    return { account: OPENING_ACCOUNT, currency, amount: { digits: -digits, places } }
  })
  return {
    id: 'opening',
    wallet: '',
    date,
    description: 'Opening balances',
    kind: 'journal',
    postings: [...opening, ...others.filter(({ amount }) => amount.digits !== 0n)],
    tags: [],
    postedAt: '',
    postedBy: '',
  }
}

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
