/** Numbers such as `1,000`: one for hledger, a thousand for ledger and beancount, and never booked without a word. */
import { readFile } from 'node:fs/promises'
import { at, written } from '../../domain/wallet/statement/exact.ts'
import { type Journal, type Place, placeText, type Transaction } from './journal.ts'

export type Reader = 'hledger' | 'ledger' | 'beancount'

/** A comma with exactly three digits after it, and no other mark. */
const LONE_COMMA = /(?<![\d.,])(\d{1,3}),(\d{3})(?![\d.,])/g
/** Directives whose amounts say what the marks of a commodity mean. */
const DIRECTIVE = /^(?:commodity|D|\s+format)\s+(.*\d.*)$/
const DECIMAL_MARK = /^decimal-mark\s+[.,]/

/** One line for each such number, which names its place and what it was taken as. `files`: all files of the journal. */
export async function loneCommas(journal: Journal, reader: Reader, files: readonly string[]): Promise<string[]> {
  const texts = new Map<string, readonly string[]>()
  for (const file of new Set([...files, ...journal.map(({ place }) => place.file)])) {
    texts.set(file, (await readFile(file, 'utf8').catch(() => '')).split(/\r?\n/))
  }
  const decided = decidedBy([...texts.values()].flat())
  return journal.flatMap(transaction => {
    const lines = texts.get(transaction.place.file)!
    return numbersOf(lines, transaction.place).flatMap(({ whole, fraction, amount, line }) =>
      decided(amount) ? [] : [said({ whole, fraction, amount }, reader, transaction, line)],
    )
  })
}

/** The same for hledger's JSON, which tells how a number was written by its style alone. */
export const loneCommasOfJson = (journal: Journal): string[] =>
  journal.flatMap(transaction =>
    transaction.postings.flatMap(({ amounts }) =>
      amounts.flatMap(({ digits, places, commodity, decimalComma }) => {
        if (!decimalComma || places !== 3 || abs(digits) < 1000n || abs(digits) >= 1_000_000n) return []
        const [whole = '', fraction = ''] = written({ digits: abs(digits), places }).split('.')
        return [said({ whole, fraction, amount: `${whole},${fraction} ${commodity}` }, 'hledger', transaction)]
      }),
    ),
  )

type Number = { readonly whole: string; readonly fraction: string; readonly amount: string }

/** The numbers in the lines of a transaction, which end at the first that is empty or not indented. */
function numbersOf(lines: readonly string[], { line = 1 }: Place): readonly (Number & { readonly line: number })[] {
  const found: (Number & { line: number })[] = []
  for (let n = line; n < lines.length && /^\s+\S/.test(lines[n]!); n += 1) {
    // An account ends at two spaces; what comments and quoted names say is no number.
    const [, amounts = ''] = /^\s+\S.*?(?:\s{2,}|\t)(.*)$/.exec(lines[n]!.replace(/;.*/, '')) ?? []
    const plain = amounts.replaceAll(/"[^"]*"/g, name => name.replaceAll(',', '_'))
    for (const match of plain.matchAll(LONE_COMMA)) {
      const [, before = ''] = /([^\s\d@=*-]*)\s?-?$/.exec(plain.slice(0, match.index)) ?? []
      const [, after = ''] = /^\s?([^\s\d@={(;-]*)/.exec(plain.slice(match.index + match[0].length)) ?? []
      const amount = before ? `${before}${match[0]}` : `${match[0]} ${after}`.trim()
      found.push({ whole: match[1]!, fraction: match[2]!, amount, line: n + 1 })
    }
  }
  return found
}

/** Whether a directive says what the comma means in an amount: for all numbers, or for those of its commodity. */
function decidedBy(lines: readonly string[]): (amount: string) => boolean {
  if (lines.some(line => DECIMAL_MARK.test(line))) return () => true
  const symbols = new Set(lines.flatMap(line => symbolOf(DIRECTIVE.exec(line.replace(/;.*/, ''))?.[1] ?? '')))
  return amount => symbolOf(amount).some(symbol => symbols.has(symbol))
}

/** `1,000.00 EUR` → `EUR`, `$1.00` → `$`, `1,000` → the empty symbol. */
function symbolOf(amount: string): readonly string[] {
  if (!/\d/.test(amount)) return []
  return [amount.replaceAll(/[\d\s.,_'-]/g, '').replaceAll('"', '')]
}

function said(
  { whole, fraction, amount }: Number,
  reader: Reader,
  { postings, place }: Transaction,
  line = place.line,
): string {
  const thousands = BigInt(`${whole}${fraction}`)
  const amounts = postings.flatMap(posting => posting.amounts)
  const isThere = (wanted: bigint) => amounts.some(one => one.places <= 3 && abs(at(one, 3)) === wanted)
  const asThousands = isThere(thousands * 1000n) || (!isThere(thousands) && reader !== 'hledger')
  const decimal = `${whole}.${fraction}`
  const taken = asThousands ? String(thousands) : decimal
  const other = asThousands ? decimal : String(thousands)
  const others = asThousands ? 'hledger takes it' : 'ledger and beancount take it'
  const mark = MARKS[reader]
  return (
    `${placeText({ ...place, ...(line !== undefined && { line }) })}: "${amount}" is taken as ${taken}, ` +
    `as ${reader} reads it; ${others} as ${other}. ` +
    `${mark}write it without the comma.`
  )
}

/** What says in a file what a comma means; in beancount it always groups thousands. */
const MARKS: Readonly<Record<Reader, string>> = {
  hledger: 'Say which it is with `decimal-mark .` or `decimal-mark ,` at the top of the file, or ',
  ledger: 'Say which it is with a `commodity` directive with a `format` at the top of the file, or ',
  beancount: 'If that is not what is meant, ',
}

const abs = (number: bigint) => (number < 0n ? -number : number)
