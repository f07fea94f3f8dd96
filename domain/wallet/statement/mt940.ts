/**
 * MT940 (customer statement) and MT942 (interim report) as banks write them: SWIFT Standards, category 9. Where banks
 * commonly depart from the standard, and one meaning is left, it is read and noted; anything else is a fault.
 */
import { dayNumber, dayText } from './day.ts'
import { exactOf, negative } from './exact.ts'
import type { Fault, Statement, StatementBalance, StatementFile, StatementRow } from './file.ts'

/** A colon in a text begins no field: only these names do. */
const TAG = /^:(20|21|25P?|28C?|13D?|34F|60[FM]|61|62[FM]|64|65|86|90[CD]|NS|940|942):(.*)$/
const BLOCK = /^(\{[1-5]:|-\}|-$|\}$)/

type Field = { readonly tag: string; readonly line: number; readonly text: string[] }
type Draft = {
  line: number
  account?: string
  number?: string
  opening?: StatementBalance & { readonly currency: string }
  closing?: StatementBalance & { readonly currency: string }
  /** Whether it is an MT942, and the currency that it names. */
  interim: boolean
  currency?: string
  rows: DraftRow[]
}
type DraftRow = { -readonly [K in keyof StatementRow]: StatementRow[K] }

/** Reads a file of one or more statements. */
export function readMt940(text: string): StatementFile {
  const reader = new Reader()
  for (const field of fieldsOf(text)) reader.take(field)
  return reader.end()
}

/** The fields of all statements, each with the lines that continue it. */
function fieldsOf(text: string): readonly Field[] {
  const fields: Field[] = []
  let open: Field | undefined
  for (const [n, raw] of text.split(/\r\n|\n|\r/).entries()) {
    const inBlock = raw.replace(/^\uFEFF/, '').replace(/^(\{[1-5]:[^{}]*\}?)+(?=:)/, '')
    const [, tag, rest] = TAG.exec(inBlock) ?? []
    if (tag !== undefined) {
      open = { tag, line: n + 1, text: [rest!.trimEnd()] }
      fields.push(open)
    } else if (BLOCK.test(inBlock)) {
      // The end of a message; what stands before the next one belongs to its envelope.
      open = undefined
    } else open?.text.push(inBlock.trimEnd())
  }
  return fields
}

class Reader {
  readonly #statements: Statement[] = []
  readonly #faults: Fault[] = []
  readonly #notes: Fault[] = []
  #draft: Draft | undefined

  take({ tag, line, text }: Field): void {
    const value = text[0]!.trim()
    if (tag === '20') this.#begin(line)
    else if (tag === '940' || tag === '942' || tag === '21') return
    else if (!this.#draft) this.#faults.push({ line, message: `:${tag}: stands before :20:, which begins a statement` })
    else if (tag === '25' || tag === '25P') this.#setAccount(value, line)
    else if (tag === '28' || tag === '28C') this.#draft.number = value
    else if (tag === '13D' || tag === '13' || tag === '34F') this.#setInterim(value)
    else if (tag.startsWith('60')) this.#setBalance('opening', value, line)
    else if (tag.startsWith('62')) this.#setBalance('closing', value, line)
    else if (tag === '61') this.#row(value, text.slice(1), line)
    else if (tag === '86') this.#describe(text)
  }

  end(): StatementFile {
    this.#close()
    if (this.#statements.length === 0)
      this.#faults.push({ line: 1, message: 'there is no statement (:20:) in the file' })
    return { format: 'mt940', statements: this.#statements, faults: this.#faults, notes: this.#notes }
  }

  #begin(line: number): void {
    this.#close()
    this.#draft = { line, interim: false, rows: [] }
  }

  #close(): void {
    if (!this.#draft) return
    const { line, account, number, opening, closing, interim, rows } = this.#draft
    const fault = (message: string) => this.#faults.push({ line, message })
    if (account === undefined) fault('the statement names no account (:25:)')
    if (!opening && !interim) fault('the statement has no opening balance (:60F: or :60M:) that can be read')
    if (!closing && !interim) fault('the statement has no closing balance (:62F: or :62M:) that can be read')
    if (opening && closing && opening.currency !== closing.currency) fault('its balances are in two currencies')
    const currency = closing?.currency ?? opening?.currency ?? this.#draft.currency ?? ''
    if (currency === '' && rows.length > 0) fault('the statement names no currency')
    this.#statements.push({
      line,
      account: account ?? '',
      currency,
      ...(number !== undefined && { number }),
      ...(opening && { opening: balanceOf(opening) }),
      ...(closing && { closing: balanceOf(closing) }),
      rows: rows.map(row => ({ ...row, currency, booked: !interim })),
    })
    this.#draft = undefined
  }

  /** `:34F:` is the least amount that is reported: `EURD0,`. */
  #setInterim(value: string): void {
    const [currency] = /^[A-Z]{3}(?=[CD]?\d)/.exec(value) ?? []
    this.#draft!.interim = true
    if (currency !== undefined) this.#draft!.currency = currency
  }

  #setAccount(value: string, line: number): void {
    if (this.#draft!.account !== undefined) this.#faults.push({ line, message: 'the statement names two accounts' })
    if (value === '') this.#faults.push({ line, message: 'the account is empty' })
    this.#draft!.account = value
  }

  #setBalance(which: 'opening' | 'closing', value: string, line: number): void {
    const [, mark, year, month, day, currency, number] =
      /^([CD])(\d{2})(\d{2})(\d{2})([A-Z]{3})(\d+[.,]?\d*)$/.exec(value) ?? []
    if (mark === undefined) {
      this.#faults.push({ line, message: `"${value}" is no balance, such as C260131EUR1234,50` })
      return
    }
    const amount = exactOf(number!, ',.')!
    const date = this.#day(`${year}${month}${day}`, line)
    if (this.#draft![which]) this.#faults.push({ line, message: `the statement has two ${which} balances` })
    this.#draft![which] = {
      amount: mark === 'D' ? negative(amount) : amount,
      currency: currency!,
      line,
      ...(date !== undefined && { date }),
    }
  }

  /** Statement line: value date, entry date, mark, funds code, amount, type, reference, bank's reference. */
  #row(value: string, more: readonly string[], line: number): void {
    const [, valueDay, entryDay, mark, number, rest] =
      /^(\d{6})(\d{4}| {4})?([RE]?[CD])[A-Z]?(\d+[.,]?\d*)(.*)$/.exec(value) ?? []
    if (mark === undefined) {
      this.#faults.push({
        line,
        message: `"${value.slice(0, 40)}" is no statement line, such as 2601310131D12,50NTRFNONREF`,
      })
      return
    }
    if (!/[.,]/.test(number!))
      this.#notes.push({ line, message: `"${number}" has no decimal comma: read as whole units` })
    const size = exactOf(number!, ',.')!
    const isMinus = mark === 'D' || mark === 'RC' || mark === 'EC'
    const valueDate = this.#day(valueDay!, line)
    const date = entryDay?.trim() && valueDate ? this.#entryDay(entryDay, valueDate, line) : valueDate
    const [, kind, references = ''] = /^\s*([A-Z][A-Z0-9]{3})?(.*)$/.exec(rest!)!
    const [reference = '', id = ''] = splitOnce(references.trim(), '//')
    const extra = more.map(part => part.trim()).filter(Boolean)
    this.#draft!.rows.push({
      line,
      amount: isMinus ? negative(size) : size,
      currency: '',
      booked: true,
      text: extra.join(' '),
      ...(date !== undefined && { date }),
      ...(valueDate !== undefined && { valueDate }),
      ...(id !== '' && { id }),
      ...(isReference(reference) && { reference: reference.trim() }),
      ...(kind !== undefined && { kind }),
    })
  }

  /** `:86:` belongs to the line before it; one behind the closing balance to the whole statement. */
  #describe(text: readonly string[]): void {
    const { rows, closing } = this.#draft!
    const row = rows.at(-1)
    if (!row || closing) return
    const { payee, text: words, reference } = detailsOf(text)
    row.text = [row.text, words].filter(Boolean).join(' ')
    if (payee) row.payee = payee
    if (reference) row.reference = reference
  }

  /** Years of two digits are those from 1980 to 2079. 29 and 30 February of banks' 360-day years are its last day. */
  #day(text: string, line: number): string | undefined {
    const [short, month, day] = [text.slice(0, 2), text.slice(2, 4), text.slice(4, 6)].map(Number) as [
      number,
      number,
      number,
    ]
    const year = short >= 80 ? 1900 + short : 2000 + short
    const date = dayText(year, month, day)
    if (date !== undefined) return date
    const last = month === 2 && (day === 29 || day === 30) ? (dayText(year, 2, 29) ?? dayText(year, 2, 28)) : undefined
    if (last === undefined) this.#faults.push({ line, message: `"${text}" is no day of the calendar (YYMMDD)` })
    else this.#notes.push({ line, message: `"${text}" is read as ${last}, the last day of February` })
    return last
  }

  /** An entry date has no year: it is that of the nearest such day to the value date. */
  #entryDay(text: string, valueDate: string, line: number): string | undefined {
    const [month, day] = [Number(text.slice(0, 2)), Number(text.slice(2, 4))]
    const year = Number(valueDate.slice(0, 4))
    const days = [year - 1, year, year + 1].flatMap(one => dayText(one, month, day) ?? [])
    const distance = (date: string) => Math.abs(dayNumber(date) - dayNumber(valueDate))
    const [nearest] = days.sort((a, b) => distance(a) - distance(b))
    if (nearest === undefined) this.#faults.push({ line, message: `"${text}" is no day of the calendar (MMDD)` })
    return nearest
  }
}

const balanceOf = ({ currency: _, ...balance }: StatementBalance & { readonly currency: string }): StatementBalance =>
  balance

const isReference = (text: string) => text.trim() !== '' && text.trim() !== 'NONREF'

function splitOnce(text: string, by: string): readonly string[] {
  const at = text.indexOf(by)
  return at < 0 ? [text] : [text.slice(0, at), text.slice(at + by.length)]
}

/** What `:86:` says: the subfields of German banks (`?20` to `?63`), words in slashes (`/NAME/…`), or plain text. */
function detailsOf(lines: readonly string[]): { payee?: string; text: string; reference?: string } {
  const whole = lines.join('')
  if (/^\s*\d{3}\?\d{2}/.test(whole)) return subfieldsOf(whole)
  const plain = lines
    .map(line => line.trim())
    .filter(Boolean)
    .join(' ')
  const word = (name: string) => new RegExp(`/${name}/([^/]*)`).exec(whole)?.[1]?.trim()
  const [payee, reference, remittance] = [word('NAME'), word('EREF'), word('REMI')]
  return {
    text: remittance || plain,
    ...(payee && { payee }),
    ...(reference && reference !== 'NOTPROVIDED' && { reference }),
  }
}

function subfieldsOf(whole: string): { payee?: string; text: string; reference?: string } {
  const parts = [...whole.matchAll(/\?(\d{2})([^?]*)/g)].map(([, code, text]) => ({ code: Number(code), text: text! }))
  const joined = (from: number, to: number) =>
    parts
      .filter(({ code }) => code >= from && code <= to)
      .map(({ text }) => text)
      .join('')
      .trim()
  const remittance = [joined(20, 29), joined(60, 63)].filter(Boolean).join(' ')
  const payee = joined(32, 33)
  const reference = /EREF\+(.*?)(?=(?:KREF|MREF|CRED|DEBT|SVWZ|ABWA|ABWE|IBAN|BIC)\+|$)/.exec(remittance)?.[1]?.trim()
  const purpose = /SVWZ\+(.*?)(?=(?:EREF|KREF|MREF|CRED|DEBT|ABWA|ABWE|IBAN|BIC)\+|$)/.exec(remittance)?.[1]?.trim()
  const text = [joined(0, 0), purpose || remittance].filter(Boolean).join(' ')
  return { text, ...(payee && { payee }), ...(reference && reference !== 'NOTPROVIDED' && { reference }) }
}
