/**
 * The statement of an account as PDF/A-3b (ISO 19005-3), with its lines as CSV attached. The same statement is the same
 * bytes. The font is embedded; letters that it does not have are shown as U+FFFD, and stand in the CSV as they are.
 */
import { createRequire } from 'node:module'
import { KogiError } from '../../../domain/kernel/errors.ts'
import type { AccountStatement, StatementLine } from '../../../domain/wallet/books/account-statement.ts'
import { oneLine } from '../../../domain/wallet/books/book.ts'
import { statementCsvWriter } from '../../../domain/wallet/books/table.ts'
import { type Exact, plus, written } from '../../../domain/wallet/statement/exact.ts'

/** A statement of more lines takes too long to draw between other requests. */
const LINES_MAX = 5_000
const MARGIN = 48
const LINE = 14
const SIZE = 8
/** Columns from the left: day, text, and the right ends of amount and balance. */
const TEXT_AT = 112
const AMOUNT_END = 440
const NUMBER_WIDTH = 110
const MISSING = '\uFFFD'

const require = createRequire(import.meta.url)

/** Throws `export_impossible` for a statement that is too long for a PDF, which is made in memory. */
export function mustFitPdf({ count }: AccountStatement): void {
  if (count <= LINES_MAX) return
  throw new KogiError('export_impossible', `A PDF has at most ${LINES_MAX} lines: choose a shorter period.`)
}

export async function pdfOf(statement: AccountStatement, lines: readonly StatementLine[]): Promise<Uint8Array> {
  const { wallet, account, currency, from, to, opening, closing } = statement
  const { default: Document } = await import('pdfkit')
  const font = require.resolve('dejavu-fonts-ttf/ttf/DejaVuSans.ttf')
  const title = `Statement of ${account} (${currency}), ${from} to ${to}`
  const date = new Date(`${to}T00:00:00Z`)
  const document = new Document({
    size: 'A4',
    margin: MARGIN,
    font,
    lang: 'en',
    tagged: true,
    subset: 'PDF/A-3b',
    pdfVersion: '1.7',
    bufferPages: true,
    info: { Title: title, Author: 'Kogi', Creator: 'Kogi', Producer: 'Kogi', CreationDate: date, ModDate: date },
  } as never)
  const chunks: Buffer[] = []
  document.on('data', (chunk: Buffer) => chunks.push(chunk))
  const ended = new Promise<void>((resolve, reject) => document.on('end', resolve).on('error', reject))
  const hasGlyph = glyphsOf(document)
  const shown = (text: string) => [...oneLine(text)].map(letter => (hasGlyph(letter) ? letter : MISSING)).join('')
  const table = statementCsvWriter(statement)
  const csv = Buffer.from([table.head, ...lines.map(table.line), table.tail].join(''))
  const about = { type: 'text/csv', description: 'The lines of the statement', relationship: 'Data' }
  document.file(csv, { name: 'statement.csv', creationDate: date, modifiedDate: date, ...about } as never)

  let top = MARGIN
  const width = document.page.width - 2 * MARGIN
  const put = (text: string, left: number, options: object = {}) =>
    document.text(text, left, top, { lineBreak: false, ellipsis: true, height: LINE, ...options })
  const number = (amount: Exact, end: number) => {
    put(written(amount), end - NUMBER_WIDTH, { width: NUMBER_WIDTH, align: 'right' })
  }
  const row = (day: string, text: string, amount: Exact | undefined, balance: Exact) => {
    if (top > document.page.height - MARGIN - 2 * LINE) {
      document.addPage()
      top = MARGIN
    }
    put(day, MARGIN)
    put(shown(text), TEXT_AT, { width: AMOUNT_END - NUMBER_WIDTH - TEXT_AT })
    if (amount) number(amount, AMOUNT_END)
    number(balance, MARGIN + width)
    top += LINE
  }
  document.fontSize(14)
  put(shown(`Wallet ${wallet}`), MARGIN, { width })
  top += 2 * LINE
  document.fontSize(SIZE)
  put(shown(title), MARGIN, { width })
  top += 2 * LINE
  row(from, 'Opening balance', undefined, opening)
  let balance = opening
  for (const { date: day, amount, description, counterparty } of lines) {
    balance = plus(balance, amount)
    row(day, [counterparty, description].filter(Boolean).join(': '), amount, balance)
  }
  row(to, 'Closing balance', undefined, closing)
  const { count } = document.bufferedPageRange()
  for (let page = 0; page < count; page += 1) {
    document.switchToPage(page)
    top = document.page.height - MARGIN - LINE
    put(`Page ${page + 1} of ${count}`, MARGIN, { width, align: 'right' })
  }
  document.end()
  await ended
  return Buffer.concat(chunks)
}

type Glyphs = { readonly _font: { readonly font: { readonly hasGlyphForCodePoint: (code: number) => boolean } } }

/** Whether the font of a document has a letter: it draws nothing for others, and says nothing. */
const glyphsOf = (document: unknown) => (letter: string) =>
  (document as Glyphs)._font.font.hasGlyphForCodePoint(letter.codePointAt(0)!)
