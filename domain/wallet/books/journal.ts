/** Books as a journal of hledger or of ledger: no digits are grouped, and the balances at the end are asserted. */
import { written } from '../statement/exact.ts'
import { type Book, type BookPosting, type BookWriter, namesFor, oneLine } from './book.ts'

/** What the two programs write differently: how a number is marked, and the day of a posting. */
const DIALECTS = {
  hledger: { head: ['decimal-mark .'], day: (date: string) => `  ; date:${date}` },
  ledger: { head: [], day: (date: string) => `  ; [${date}]` },
} as const

export function journalWriter(book: Book, program: keyof typeof DIALECTS): BookWriter {
  const { head, day } = DIALECTS[program]
  const { closing, last, title } = book
  const accounts = namesFor(
    closing.map(({ account }) => account),
    accountName,
  )
  const commodities = namesFor(
    closing.map(({ currency }) => currency),
    commodityName,
  )
  const amount = ({ amount, currency }: Pick<BookPosting, 'amount' | 'currency'>) =>
    `${written(amount)} ${commodities.get(currency)}`
  const lines = [...title.map(line => `; ${oneLine(line)}`), ...head, '']
  for (const account of [...accounts.values()].sort()) lines.push(`account ${account}`)
  const end =
    last === undefined
      ? []
      : [
          '',
          `${last} * Balances at the end`,
          ...closing.map(
            held => `    ${accounts.get(held.account)}  0 ${commodities.get(held.currency)} = ${amount(held)}`,
          ),
        ]
  return {
    head: text(lines),
    entry({ date, description, id, postings }) {
      const said = ['', `${date} * ${descriptionText(description)}`.trimEnd(), `    ; kogi: ${id}`]
      for (const posting of postings) {
        const on = posting.date === undefined || posting.date === date ? '' : day(posting.date)
        said.push(`    ${accounts.get(posting.account)}  ${amount(posting)}${on}`)
      }
      return text(said)
    },
    tail: text(end),
  }
}

const text = (lines: readonly string[]): string => lines.map(line => `${line}\n`).join('')

/** Names end at two spaces, begin with no mark, and hold no comment. */
function accountName(name: string, number: number): string {
  const plain = oneLine(name)
    .replaceAll(';', ',')
    .replace(/^(?=[([<*!=~:@"\d-])/, '_')
  return number === 1 ? plain || '_' : `${plain || '_'} (${number})`
}

/** What is not of letters alone stands in quotes. */
function commodityName(name: string, number: number): string {
  const plain = name.replaceAll(/["\\;\n]/g, "'")
  const full = number === 1 ? plain : `${plain}_${number}`
  return /^[A-Za-z]+$/.test(full) ? full : `"${full}"`
}

/** A description behind the mark of a transaction: a bracket that nothing closes would begin a code. */
function descriptionText(text: string): string {
  const line = oneLine(text).replaceAll(';', ',')
  return /^\([^()]*\)/.test(line) ? line : line.replace(/^\(/, '[')
}
