/** Books as a beancount file: accounts under its five roots, currencies in its letters, balances asserted. */
import { dateOf } from '../../time/civil.ts'
import { dayNumber, dayText } from '../statement/day.ts'
import { type Exact, NOTHING, plus, written } from '../statement/exact.ts'
import { type AccountType, type Book, type BookWriter, type Held, namesFor, OPENING_ACCOUNT, oneLine } from './book.ts'

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

export function beancountWriter({ closing, first, last, title, types }: Book): BookWriter {
  const accounts = namesFor(
    closing.map(({ account }) => account),
    (name, number) => accountName(name, types.get(name), number),
  )
  const currencies = namesFor(
    closing.map(({ currency }) => currency),
    currencyName,
  )
  const lines = title.map(line => `; ${oneLine(line)}`)
  if (first === undefined || last === undefined) return { head: text(lines), entry: () => '', tail: '' }
  lines.push('option "title" "Kogi"', '')
  for (const [currency, name] of currencies)
    if (currency !== name) lines.push(`${first} commodity ${name}`, `  kogi-name: ${quoted(currency)}`)
  for (const [account, name] of accounts) lines.push(`${first} open ${name}`, `  kogi-name: ${quoted(account)}`)
  return {
    head: text(lines),
    entry({ date, description, counterparty, id, tags, postings }) {
      const names = tags.map(tag => `#${tag.replaceAll(/[^A-Za-z0-9\-_/.]+/g, '-')}`).join(' ')
      const words = [counterparty && quoted(counterparty), quoted(description)].filter(Boolean).join(' ')
      const said = ['', `${date} * ${words} ${names}`.trimEnd(), `  kogi-entry: ${quoted(id)}`]
      for (const { account, currency, amount, date: on } of postings) {
        said.push(`  ${accounts.get(account)}  ${written(amount)} ${currencies.get(currency)}`)
        if (on !== undefined && on !== date) said.push(`    effective: ${on}`)
      }
      return text(said)
    },
    tail: text(['', ...balancesOn(last, closing, { accounts, currencies })]),
  }
}

type Names = {
  readonly accounts: ReadonlyMap<string, string>
  readonly currencies: ReadonlyMap<string, string>
}

/** Asserts all balances behind a day. A balance in beancount is that of an account with all accounts below it. */
function balancesOn(last: string, closing: readonly Held[], { accounts, currencies }: Names): readonly string[] {
  const next = dateOf(dayNumber(last) + 1)
  const on = dayText(next.year, next.month, next.day)!
  const sums = new Map<string, Exact>()
  const keyOf = (name: string, currency: string) => `${currency} ${name}`
  for (const { account, currency, amount } of closing) {
    const parts = accounts.get(account)!.split(':')
    for (let depth = 1; depth <= parts.length; depth += 1) {
      const key = keyOf(parts.slice(0, depth).join(':'), currency)
      sums.set(key, plus(sums.get(key) ?? NOTHING, amount))
    }
  }
  return closing.map(({ account, currency }) => {
    const name = accounts.get(account)!
    return `${on} balance ${name}  ${written(sums.get(keyOf(name, currency))!)} ${currencies.get(currency)}`
  })
}

const text = (lines: readonly string[]): string => lines.map(line => `${line}\n`).join('')

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
