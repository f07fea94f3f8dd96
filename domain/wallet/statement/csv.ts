/** Statements as CSV (RFC 4180), read as a layout says: nothing about marks, dates and signs is guessed. */
import { type CsvLine, csvLines } from '../../record/csv.ts'
import { dayText } from './day.ts'
import { type Exact, exactOf, isEqual, negative, plus, written } from './exact.ts'
import type { Fault, Statement, StatementFile, StatementRow } from './file.ts'
import type { CsvLayout } from './rules.ts'

type Row = StatementRow & { readonly account: string; readonly balance?: Exact }

/** Reads a file. Rows of one account and currency make one statement, in the order of the file. */
export function readCsvStatement(text: string, layout: CsvLayout): StatementFile {
  const faults: Fault[] = []
  const delimiter = layout.delimiter === 'tab' ? '\t' : layout.delimiter
  const { lines, fault } = csvLines(text, { delimiter, skip: layout.skip })
  if (fault) faults.push(fault)
  const [first] = lines
  const heads = layout.headings ? first?.fields.map(name => name.trim()) : undefined
  const columns = columnsOf(layout, heads, first?.line ?? 1, faults)
  const body = layout.headings ? lines.slice(1) : lines
  const width = first?.fields.length ?? 0
  const reading: Reading = { ...layout, numberIn: numbersOf(layout), dayIn: daysOf(layout.date_format) }
  const rows = body.flatMap(line => {
    if (line.fields.length === width) return [rowOf(line, columns, reading, faults)]
    const message = `has ${line.fields.length} fields, and the first line ${width}`
    faults.push({ line: line.line, message })
    return []
  })
  if (faults.length === 0 && rows.length === 0) faults.push({ line: 1, message: 'there is no row in the file' })
  const notes: Fault[] = []
  return { format: 'csv', statements: statementsOf(rows, notes), faults, notes }
}

type Columns = { readonly [name: string]: number | readonly number[] | undefined }

function columnsOf(
  { columns }: CsvLayout,
  heads: readonly string[] | undefined,
  line: number,
  faults: Fault[],
): Columns {
  const place = (name: string): number => {
    const numbered = /^#(\d{1,4})$/.exec(name)
    const at = numbered ? Number(numbered[1]) - 1 : (heads?.indexOf(name) ?? -1)
    if (at < 0) faults.push({ line, message: `there is no column ${name}` })
    return at
  }
  const { amount, credit, debit } = columns
  if ((amount === undefined) === (credit === undefined && debit === undefined)) {
    faults.push({ line, message: 'the layout must name the column `amount`, or `credit` and `debit`' })
  }
  return Object.fromEntries(
    Object.entries(columns).map(([what, name]) => [
      what,
      Array.isArray(name) ? name.map(place) : place(name as string),
    ]),
  )
}

type Reading = CsvLayout & {
  readonly numberIn: (text: string) => Exact | undefined
  readonly dayIn: (text: string) => string | undefined
}

function rowOf({ line, fields }: CsvLine, columns: Columns, layout: Reading, faults: Fault[]): Row {
  const fault = (message: string) => faults.push({ line, message })
  const textOf = (what: string): string | undefined => {
    const at = columns[what]
    const found = typeof at === 'number' ? fields[at]?.trim() : undefined
    return found === '' ? undefined : found
  }
  const number = (what: string): Exact | undefined => {
    const found = textOf(what)
    const exact = found === undefined ? undefined : layout.numberIn(found)
    if (found !== undefined && !exact) fault(`"${found.slice(0, 40)}" in ${what} is no amount`)
    return exact
  }
  const day = (what: string): string | undefined => {
    const found = textOf(what)
    const date = found === undefined ? undefined : layout.dayIn(found)
    if (found !== undefined && !date) fault(`"${found.slice(0, 40)}" in ${what} is no day as ${layout.date_format}`)
    return date
  }
  const amount = amountOf(number, textOf('sign'), layout.minus ?? [])
  if (!amount) fault('has no amount')
  const date = day('date')
  if (textOf('date') === undefined) fault('has no date')
  const currency = textOf('currency') ?? layout.currency
  if (currency === undefined) fault('names no currency, and neither does the layout')
  const account = textOf('account') ?? layout.account
  if (account === undefined) fault('names no account, and neither does the layout')
  const words = (columns.text as readonly number[] | undefined)?.map(at => fields[at]?.trim()).filter(Boolean) ?? []
  const optional = Object.fromEntries(
    ['id', 'reference', 'kind', 'payee'].flatMap(what => {
      const found = textOf(what)
      return found === undefined ? [] : [[what, found]]
    }),
  )
  const [valueDate, balance] = [day('value_date'), number('balance')]
  return {
    line,
    account: account ?? '',
    currency: currency ?? '',
    booked: true,
    text: words.join(' '),
    ...optional,
    ...(amount && { amount }),
    ...(date !== undefined && { date }),
    ...(valueDate !== undefined && { valueDate }),
    ...(balance && { balance }),
  }
}

/** The signed amount of a row: of one column, or of one for what comes in and one for what goes out. */
function amountOf(
  number: (what: string) => Exact | undefined,
  sign: string | undefined,
  minus: readonly string[],
): Exact | undefined {
  const [amount, credit, debit] = [number('amount'), number('credit'), number('debit')]
  if (amount) return sign !== undefined && minus.includes(sign) ? negative(amount) : amount
  if (!credit && !debit) return undefined
  // Banks write what goes out with or without its sign.
  const out = debit && (debit.digits > 0n ? negative(debit) : debit)
  return credit && out ? plus(credit, out) : (credit ?? out)
}

/** Reads numbers as a layout writes them. */
function numbersOf({ decimal_mark, group_mark, places }: CsvLayout): Reading['numberIn'] {
  const mark = group_mark === ' ' ? '[ \u00a0\u202f]' : group_mark && `[${group_mark}]`
  const form = mark === undefined ? undefined : new RegExp(`^([+-]?\\d{1,3}(?:${mark}\\d{3})+)(?=$|[.,])`)
  return text => {
    const grouped = form?.exec(text)?.[1]
    const plainText = grouped ? grouped.replaceAll(/[^\d+-]/g, '') + text.slice(grouped.length) : text
    const number = exactOf(plainText, decimal_mark)
    return number && places !== undefined ? { digits: number.digits, places: number.places + places } : number
  }
}

/** Reads days in a format of `YYYY` or `YY`, `MM` and `DD`; one digit may stand for two where a mark follows it. */
function daysOf(format: string): Reading['dayIn'] {
  const escaped = format.replaceAll(/[^A-Z]/g, mark => `\\u${mark.charCodeAt(0).toString(16).padStart(4, '0')}`)
  const form = escaped
    .replace('YYYY', '(?<year>\\d{4})')
    .replace('YY', '(?<short>\\d{2})')
    .replace(/MM|M/, /[^A-Z]/.test(format) ? '(?<month>\\d{1,2})' : '(?<month>\\d{2})')
    .replace(/DD|D/, /[^A-Z]/.test(format) ? '(?<day>\\d{1,2})' : '(?<day>\\d{2})')
  const read = new RegExp(`^${form}`)
  return text => {
    const { year, short, month, day } = read.exec(text)?.groups ?? {}
    if (month === undefined || day === undefined) return undefined
    const full = year ?? (short && Number(short) >= 70 ? `19${short}` : short && `20${short}`)
    return full === undefined ? undefined : dayText(Number(full), Number(month), Number(day))
  }
}

/** The statements of rows that came in one file, with balances where a column has them. */
function statementsOf(rows: readonly Row[], notes: Fault[]): readonly Statement[] {
  const groups = new Map<string, Row[]>()
  for (const row of rows) {
    const key = JSON.stringify([row.account, row.currency])
    const group = groups.get(key)
    if (group) group.push(row)
    else groups.set(key, [row])
  }
  return [...groups.values()].map(group => statementOf(group, notes))
}

function statementOf(group: readonly Row[], notes: Fault[]): Statement {
  const { account, currency, line } = group[0]!
  const rows = group.map(({ account: _, balance: __, ...row }) => row)
  const complete = group.every(({ balance, amount }) => balance && amount)
  if (!complete) return { line, account, currency, rows }
  // Banks list the newest first or last: the direction in which the balances follow is the one.
  const chain = [group, group.toReversed()].find(isChain) ?? group
  const breaks = isChain(chain) ? undefined : breakIn(chain)
  if (breaks) notes.push(breaks)
  const [first, last] = [chain[0]!, chain.at(-1)!]
  const opening = plus(first.balance!, negative(first.amount!))
  return {
    line,
    account,
    currency,
    opening: { amount: opening, line: first.line },
    closing: { amount: last.balance!, line: last.line },
    rows,
  }
}

const follows = (before: Row, row: Row) => isEqual(plus(before.balance!, row.amount!), row.balance!)
const isChain = (rows: readonly Row[]) => rows.every((row, n) => n === 0 || follows(rows[n - 1]!, row))

function breakIn(rows: readonly Row[]): Fault | undefined {
  const n = rows.findIndex((row, at) => at > 0 && !follows(rows[at - 1]!, row))
  if (n < 0) return undefined
  const [before, row] = [rows[n - 1]!, rows[n]!]
  const message = `the balance ${written(before.balance!)} and ${written(row.amount!)} are not ${written(row.balance!)}`
  return { line: row.line, message }
}
