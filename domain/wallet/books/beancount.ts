/** Books as a beancount file: accounts under its five roots, currencies in its letters, balances asserted. */
import { dateOf } from '../../time/civil.ts'
import { dayNumber, dayText } from '../statement/day.ts'
import { type Exact, NOTHING, plus, written } from '../statement/exact.ts'
import {
  type AccountType,
  allEntries,
  type Book,
  closingOf,
  lastDay,
  namesFor,
  OPENING_ACCOUNT,
  oneLine,
} from './book.ts'

const ROOTS: Readonly<Record<AccountType, string>> = {
  asset: 'Assets',
  liability: 'Liabilities',
  equity: 'Equity',
  income: 'Income',
  expense: 'Expenses',
}
/** First words of names that say what an account is, as plain-text accounting has them. */
const WORDS: readonly (readonly [RegExp, AccountType])[] = [
  [/^assets?$/i, 'asset'],
  [/^liabilit(y|ies)$/i, 'liability'],
  [/^equity$/i, 'equity'],
  [/^(income|revenues?)$/i, 'income'],
  [/^expenses?$/i, 'expense'],
]
const EXTERNAL = 'external:'

export function beancountText(book: Book): string {
  const entries = allEntries(book)
  const postings = entries.flatMap(entry => entry.postings)
  const accounts = namesFor(
    postings.map(({ account }) => account),
    (name, number) => accountName(name, book.types.get(name), number),
  )
  const currencies = namesFor(
    postings.map(({ currency }) => currency),
    currencyName,
  )
  const lines = book.title.map(line => `; ${oneLine(line)}`)
  const first = entries.map(({ date }) => date).sort()[0]
  if (first === undefined) return `${lines.join('\n')}\n`
  lines.push('option "title" "Kogi"', '')
  for (const [currency, name] of currencies)
    if (currency !== name) lines.push(`${first} commodity ${name}`, `  kogi-name: ${quoted(currency)}`)
  for (const [account, name] of accounts) lines.push(`${first} open ${name}`, `  kogi-name: ${quoted(account)}`)
  for (const { date, description, counterparty, id, tags, postings } of entries) {
    const names = tags.map(tag => `#${tag.replaceAll(/[^A-Za-z0-9\-_/.]+/g, '-')}`).join(' ')
    const said = [counterparty && quoted(counterparty), quoted(description)].filter(Boolean).join(' ')
    lines.push('', `${date} * ${said} ${names}`.trimEnd(), `  kogi-entry: ${quoted(id)}`)
    for (const { account, currency, amount, date: on } of postings) {
      lines.push(`  ${accounts.get(account)}  ${written(amount)} ${currencies.get(currency)}`)
      if (on !== undefined && on !== date) lines.push(`    effective: ${on}`)
    }
  }
  const next = dateOf(dayNumber(lastDay(book)!) + 1)
  lines.push('')
  const held = closingOf(book).map(one => ({ ...one, name: accounts.get(one.account)! }))
  for (const { name, currency } of held) {
    // A balance in beancount is that of an account with all accounts below it.
    const below = held.filter(one => one.currency === currency && `${one.name}:`.startsWith(`${name}:`))
    const amount = below.reduce<Exact>((sum, one) => plus(sum, one.amount), NOTHING)
    const on = dayText(next.year, next.month, next.day)!
    lines.push(`${on} balance ${name}  ${written(amount)} ${currencies.get(currency)}`)
  }
  return `${lines.join('\n')}\n`
}

/** `external:supplies` → `Equity:External:Supplies`: what a name does not say is no income and no expense. */
function accountName(name: string, type: AccountType | undefined, number: number): string {
  const isExternal = name.startsWith(EXTERNAL)
  const words = (isExternal ? name.slice(EXTERNAL.length) : name).split(':')
  const said = WORDS.find(([word]) => word.test(words[0]!))?.[1]
  const isOpening = name === OPENING_ACCOUNT
  // Accounts are assets unless something else was said of them: then the name says more.
  const found = type !== undefined && type !== 'asset' ? type : (said ?? (isExternal ? 'equity' : 'asset'))
  const rest = said === found && words.length > 1 ? words.slice(1) : words
  const parts = [ROOTS[found], ...(isExternal && !said && !isOpening ? ['External'] : []), ...rest.map(part)]
  return number === 1 ? parts.join(':') : `${parts.join(':')}-${number}`
}

/** A part of a name: letters, digits and dashes, beginning with a capital or a digit. */
function part(word: string): string {
  const plain = word
    .normalize('NFKD')
    .replaceAll(/\p{M}/gu, '')
    .replaceAll(/[^A-Za-z0-9]+/g, '-')
    .replaceAll(/^-|-$/g, '')
  return plain === '' ? 'X' : plain[0]!.toUpperCase() + plain.slice(1)
}

/** 2 to 24 capital letters, digits and `'._-`, beginning with a letter and ending with one or a digit. */
function currencyName(name: string, number: number): string {
  const plain = name
    .toUpperCase()
    .replaceAll(/[^A-Z0-9'._-]+/g, '-')
    .replace(/^(?![A-Z])/, 'X')
    .slice(0, 20)
    .replace(/[^A-Z0-9]+$/, '')
  const full = plain.length < 2 ? `${plain || 'X'}X` : plain
  return number === 1 ? full : `${full}-${number}`
}

const quoted = (text: string): string => `"${oneLine(text).replaceAll('\\', '\\\\').replaceAll('"', '\\"')}"`
