/** Books as CSV (RFC 4180): one line for each posting. */
import { written } from '../statement/exact.ts'
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

/** A text of others: spreadsheets must not take it for a formula. */
function field(text: string): string {
  const plain = /^[=+\-@\t\r]/.test(text) ? `'${text}` : text
  return /[",\r\n]/.test(plain) ? `"${plain.replaceAll('"', '""')}"` : plain
}
