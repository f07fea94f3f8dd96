/** Books as CSV (RFC 4180): one line for each posting. */
import { csvField } from '../../record/csv.ts'
import { plus, written } from '../statement/exact.ts'
import type { AccountStatement, StatementWriter } from './account-statement.ts'
import type { BookWriter } from './book.ts'

const HEADINGS =
  'entry,date,posting_date,wallet,account,currency,amount,description,counterparty,reference,tags,kind,source,' +
  'reverses,posted_at,posted_by'

export const csvWriter: BookWriter = {
  head: `${HEADINGS}\r\n`,
  entry: entry =>
    entry.postings
      .map(({ account, currency, amount, date }) =>
        [
          csvField(entry.id),
          entry.date,
          date ?? entry.date,
          csvField(entry.wallet),
          csvField(account),
          csvField(currency),
          written(amount),
          csvField(entry.description),
          csvField(entry.counterparty ?? ''),
          csvField(entry.reference ?? ''),
          csvField(entry.tags.join(' ')),
          entry.kind,
          csvField(entry.source ?? ''),
          csvField(entry.reverses ?? ''),
          entry.postedAt,
          csvField(entry.postedBy),
        ].join(','),
      )
      .map(line => `${line}\r\n`)
      .join(''),
  tail: '',
}

/** The lines of a statement as CSV, each with the balance after it. */
export function statementCsvWriter({ opening, currency }: AccountStatement): StatementWriter {
  let balance = opening
  return {
    head: 'date,amount,balance,currency,entry,description,counterparty,reference\r\n',
    line({ date, amount, entry, description, counterparty, reference }) {
      balance = plus(balance, amount)
      const texts = [entry, description, counterparty ?? '', reference ?? ''].map(csvField)
      return `${[date, written(amount), written(balance), csvField(currency), ...texts].join(',')}\r\n`
    },
    tail: '',
  }
}
