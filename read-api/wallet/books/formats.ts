/** The formats in which books leave the system. */
import { KogiError } from '../../../domain/kernel/errors.ts'
import { camtText, ofxText } from '../../../domain/wallet/books/account-statement.ts'
import { beancountText } from '../../../domain/wallet/books/beancount.ts'
import { journalText } from '../../../domain/wallet/books/journal.ts'
import { csvText, statementCsv } from '../../../domain/wallet/books/table.ts'
import { invalidParameter } from '../../parameters.ts'
import { type BookQuery, bookOf, type LoadedBook, statementOf } from './load.ts'
import { pdfOf } from './pdf.ts'

export const BOOK_FORMATS = ['hledger', 'ledger', 'beancount', 'csv', 'camt', 'ofx', 'pdf'] as const
export type BookFormat = (typeof BOOK_FORMATS)[number]

/** Formats of one account in one currency; CSV is of one where an account is named. */
const STATEMENTS = { camt: camtText, ofx: ofxText, pdf: pdfOf, csv: statementCsv } as const

export type BookFile = { readonly name: string; readonly type: string; readonly content: string | Uint8Array }

const KINDS: Readonly<Record<BookFormat, readonly [extension: string, type: string]>> = {
  hledger: ['journal', 'text/plain; charset=utf-8'],
  ledger: ['ledger', 'text/plain; charset=utf-8'],
  beancount: ['beancount', 'text/plain; charset=utf-8'],
  csv: ['csv', 'text/csv; charset=utf-8'],
  camt: ['xml', 'application/xml; charset=utf-8'],
  ofx: ['ofx', 'application/x-ofx; charset=utf-8'],
  pdf: ['pdf', 'application/pdf'],
}
export const BOOK_TYPES = [...new Set(Object.values(KINDS).map(([, type]) => type.split(';')[0]!))]

/** What a file is made of, beside the entries. */
export type Wish = BookQuery & {
  readonly format: BookFormat
  readonly account?: string | undefined
  readonly currency?: string | undefined
  readonly madeAt: string
}

/** Writes a file. */
export async function bookFile(loaded: LoadedBook, wish: Wish): Promise<BookFile> {
  const { format, org, wallet, from, to } = wish
  const [extension, type] = KINDS[format]
  const parts = [wallet ?? org, wish.account, wish.currency, from, to].filter(part => part !== undefined)
  const name = `${parts.join('-').replaceAll(/[^\w.-]+/g, '_')}.${extension}`
  return { name, type, content: await contentOf(loaded, wish) }
}

async function contentOf(loaded: LoadedBook, wish: Wish): Promise<string | Uint8Array> {
  const { format } = wish
  const named = (['account', 'currency'] as const).find(name => wish[name] !== undefined)
  if (format === 'camt' || format === 'ofx' || format === 'pdf' || (format === 'csv' && named)) {
    return STATEMENTS[format](statementOf(loaded, ...accountIn(wish)))
  }
  if (named) throw invalidParameter(named, `is for the formats ${Object.keys(STATEMENTS).join(', ')}`)
  const book = bookOf(loaded, wish)
  if (format === 'csv') return csvText(book)
  return format === 'beancount' ? beancountText(book) : journalText(book, format)
}

/** A statement is of one account; books are of all. */
function accountIn(wish: Wish) {
  const { format, wallet, account, currency, madeAt } = wish
  if (wallet === undefined || account === undefined || currency === undefined) {
    const what = format === 'csv' ? 'CSV of an account' : format
    const message = `${what} is the statement of one account: name wallet, account and currency.`
    throw new KogiError('export_impossible', message)
  }
  return [
    { ...wish, wallet },
    { account, currency, madeAt },
  ] as const
}
