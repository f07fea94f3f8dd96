/** Books as CSV (RFC 4180): one line for each posting. */
import { plus, written } from '../statement/exact.ts'
import type { AccountStatement } from './account-statement.ts'
import { allEntries, type Book } from './book.ts'

const HEADINGS =
  'entry,date,posting_date,wallet,account,currency,amount,description,counterparty,reference,tags,kind,source,' +
  'reverses,posted_at,posted_by'

export function csvText(book: Book): string {
  const lines = allEntries(book).flatMap(entry =>
    entry.postings.map(({ account, currency, amount, date }) =>
      [
        field(entry.id),
        entry.date,
        date ?? entry.date,
        field(entry.wallet),
        field(account),
        field(currency),
        written(amount),
        field(entry.description),
        field(entry.counterparty ?? ''),
        field(entry.reference ?? ''),
        field(entry.tags.join(' ')),
        entry.kind,
        field(entry.source ?? ''),
        field(entry.reverses ?? ''),
        entry.postedAt,
        field(entry.postedBy),
      ].join(','),
    ),
  )
  return `${[HEADINGS, ...lines].join('\r\n')}\r\n`
}

/** The lines of a statement as CSV, each with the balance after it. */
export function statementCsv({ opening, lines, currency }: AccountStatement): string {
  let balance = opening
  const rows = lines.map(({ date, amount, entry, description, counterparty, reference }) => {
    balance = plus(balance, amount)
    const texts = [entry, description, counterparty ?? '', reference ?? ''].map(field)
    return [date, written(amount), written(balance), field(currency), ...texts].join(',')
  })
  return `${['date,amount,balance,currency,entry,description,counterparty,reference', ...rows].join('\r\n')}\r\n`
}

/** A text of others: spreadsheets must not take it for a formula. */
function field(text: string): string {
  const plain = /^[=+\-@\t\r]/.test(text) ? `'${text}` : text
  return /[",\r\n]/.test(plain) ? `"${plain.replaceAll('"', '""')}"` : plain
}
