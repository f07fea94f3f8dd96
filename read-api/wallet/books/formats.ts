/** The formats in which books leave the system. */
import { KogiError } from '../../../domain/kernel/errors.ts'
import { camtWriter, ofxWriter } from '../../../domain/wallet/books/account-statement.ts'
import { beancountWriter } from '../../../domain/wallet/books/beancount.ts'
import type { Book, BookWriter } from '../../../domain/wallet/books/book.ts'
import { journalWriter } from '../../../domain/wallet/books/journal.ts'
import { csvWriter, statementCsvWriter } from '../../../domain/wallet/books/table.ts'
import { invalidParameter } from '../../parameters.ts'
import { type BookQuery, type BookReader, type LoadedBook, loadBook } from './load.ts'
import { type LoadedStatement, loadStatement, type StatementQuery } from './load-statement.ts'
import { mustFitPdf, pdfOf } from './pdf.ts'

export const BOOK_FORMATS = ['hledger', 'ledger', 'beancount', 'csv', 'camt', 'ofx', 'pdf'] as const
export type BookFormat = (typeof BOOK_FORMATS)[number]

/** Formats of one account in one currency; CSV is of one where an account is named. */
const STATEMENTS = { camt: camtWriter, ofx: ofxWriter, csv: statementCsvWriter } as const
const BOOKS: Readonly<Record<'hledger' | 'ledger' | 'beancount' | 'csv', (book: Book) => BookWriter>> = {
  hledger: book => journalWriter(book, 'hledger'),
  ledger: book => journalWriter(book, 'ledger'),
  beancount: beancountWriter,
  csv: () => csvWriter,
}

/** A file as it is made: nothing of it is in memory that was not asked for yet. */
export type BookFile = { readonly name: string; readonly type: string; readonly content: AsyncIterable<Uint8Array> }

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

/** Begins a file. What is wrong with the wish is thrown before its first byte. */
export async function bookFile(reader: BookReader, wish: Wish): Promise<BookFile> {
  const { format, org, wallet, from, to } = wish
  const [extension, type] = KINDS[format]
  const parts = [wallet ?? org, wish.account, wish.currency, from, to].filter(part => part !== undefined)
  const name = `${parts.join('-').replaceAll(/[^\w.-]+/g, '_')}.${extension}`
  return { name, type, content: await contentOf(reader, wish) }
}

async function contentOf(reader: BookReader, wish: Wish): Promise<AsyncIterable<Uint8Array>> {
  const { format } = wish
  const named = (['account', 'currency'] as const).find(name => wish[name] !== undefined)
  if (format === 'camt' || format === 'ofx' || format === 'pdf' || (format === 'csv' && named)) {
    const loaded = await loadStatement(reader, accountIn(wish))
    if (format === 'pdf') {
      mustFitPdf(loaded.statement)
      return whole(await pdf(loaded))
    }
    return inBytes(statementText(loaded, STATEMENTS[format](loaded.statement)))
  }
  if (named) throw invalidParameter(named, 'is for the formats camt, ofx, pdf, csv')
  const loaded = await loadBook(reader, wish)
  return inBytes(bookText(loaded, BOOKS[format](loaded.book)))
}

async function* bookText({ book, entries }: LoadedBook, { head, entry, tail }: BookWriter): AsyncGenerator<string> {
  yield head
  if (book.opening) yield entry(book.opening)
  for await (const one of entries) yield entry(one)
  yield tail
}

type Lines = ReturnType<(typeof STATEMENTS)[keyof typeof STATEMENTS]>

async function* statementText({ lines }: LoadedStatement, { head, line, tail }: Lines): AsyncGenerator<string> {
  yield head
  for await (const one of lines()) yield line(one)
  yield tail
}

/** A PDF is made as a whole: its pages say how many they are. */
async function pdf({ statement, lines }: LoadedStatement): Promise<Uint8Array> {
  const all = []
  for await (const line of lines()) all.push(line)
  return await pdfOf(statement, all)
}

async function* whole(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  yield bytes
}

/** Bytes that are handed over at once: many small pieces would cost more to send than to make. */
const PIECE_BYTES = 64 * 1024

async function* inBytes(texts: AsyncIterable<string>): AsyncGenerator<Uint8Array> {
  let piece = ''
  for await (const text of texts) {
    piece += text
    if (piece.length < PIECE_BYTES) continue
    yield Buffer.from(piece)
    piece = ''
  }
  if (piece !== '') yield Buffer.from(piece)
}

/** A statement is of one account; books are of all. */
function accountIn(wish: Wish): StatementQuery {
  const { format, wallet, account, currency } = wish
  if (wallet === undefined || account === undefined || currency === undefined) {
    const what = format === 'csv' ? 'CSV of an account' : format
    const message = `${what} is the statement of one account: name wallet, account and currency.`
    throw new KogiError('export_impossible', message)
  }
  return { ...wish, wallet, account, currency }
}
