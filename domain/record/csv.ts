/** CSV as RFC 4180 has it: lines of fields, quoted where they hold delimiters, quotes or line ends. */

/**
 * A text that a spreadsheet would take for a formula gets a quote mark in front, as spreadsheets write it; so does one
 * that has such marks already, so that each text comes back as it was.
 */
const FORMULA = /^'*[=+\-@\t\r]/

const quoted = (text: string): string => (/[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text)

/** A field as it is written. */
export const csvField = (value: string | number): string =>
  typeof value === 'number' ? String(value) : quoted(FORMULA.test(value) ? `'${value}` : value)

/** A line of CSV that is not empty, by the number of the line of the text that it begins on, from 1. */
export type CsvLine = { readonly line: number; readonly fields: readonly string[] }
type Layout = {
  /** The character between fields. */
  readonly delimiter?: ',' | ';' | '|' | '\t'
  /** Lines before the first one that is read, whatever is in them. */
  readonly skip?: number
}
type Read = {
  readonly lines: readonly CsvLine[]
  /** Where and why the text is no CSV: what follows is not read. */
  readonly fault?: { readonly line: number; readonly message: string }
}

const LINE_END = /\r\n|\n|\r/g

/**
 * Reads lines of fields; quoted fields may hold delimiters, quotes and line ends. A byte order mark and empty lines are
 * left out. A quote mark inside a field that does not begin with one stands for itself.
 */
export function csvLines(text: string, { delimiter = ',', skip = 0 }: Layout = {}): Read {
  const lines: CsvLine[] = []
  const endOfField = new RegExp(`[${delimiter}\\r\\n]|$`, 'g')
  let [line, at] = [1, text.startsWith('\uFEFF') ? 1 : 0]
  for (; line <= skip && at < text.length; line += 1) at = afterLine(text, at)
  while (at < text.length) {
    const start = line
    const fields: string[] = []
    for (;;) {
      if (text[at] === '"') {
        const field = quotedField(text, at)
        if (!field) return { lines, fault: { line: start, message: 'a quote is not closed' } }
        line += field.value.match(LINE_END)?.length ?? 0
        fields.push(field.value)
        at = field.end
        if (at < text.length && text[at] !== delimiter && text[at] !== '\r' && text[at] !== '\n') {
          return { lines, fault: { line, message: 'text follows a closing quote' } }
        }
      } else {
        endOfField.lastIndex = at
        const end = endOfField.exec(text)!.index
        fields.push(text.slice(at, end))
        at = end
      }
      if (text[at] !== delimiter) break
      at += 1
    }
    at = afterLine(text, at)
    line += 1
    if (fields.length > 1 || fields[0]!.trim() !== '') lines.push({ line: start, fields })
  }
  return { lines }
}

/** The text of a quoted field that begins at a place, and the place behind its closing quote. */
function quotedField(text: string, at: number): { readonly value: string; readonly end: number } | undefined {
  for (let close = text.indexOf('"', at + 1); close >= 0; close = text.indexOf('"', close + 2)) {
    if (text[close + 1] !== '"') return { value: text.slice(at + 1, close).replaceAll('""', '"'), end: close + 1 }
  }
  return undefined
}

function afterLine(text: string, from: number): number {
  LINE_END.lastIndex = from
  const end = LINE_END.exec(text)
  return end ? end.index + end[0].length : text.length
}

/** What a written field says: the quote mark in front of a formula is no part of it. */
export const csvValue = (field: string): string => (/^'+[=+\-@\t\r]/.test(field) ? field.slice(1) : field)
