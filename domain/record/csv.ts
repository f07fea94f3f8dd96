/** CSV as RFC 4180 has it: lines of fields, quoted where they hold commas, quotes or line ends. */

/** A text that a spreadsheet would take for a formula begins with a quote mark in front, as spreadsheets write it. */
const FORMULA = /^[=+\-@\t\r]/

const quoted = (text: string): string => (/[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text)

/** A field as it is written. */
export const csvField = (value: string | number): string =>
  typeof value === 'number' ? String(value) : quoted(FORMULA.test(value) ? `'${value}` : value)

/** Lines of fields; `undefined` where a quoted field has no end. A byte order mark and empty lines are left out. */
export function csvLines(text: string): readonly (readonly string[])[] | undefined {
  const lines: string[][] = [[]]
  let rest = text.replace(/^\ufeff/, '')
  while (rest !== '') {
    const match = /^(?:"((?:[^"]|"")*)"|([^",\r\n]*))(,|\r\n|\r|\n|$)/.exec(rest)
    if (!match) return undefined
    const [whole, inQuotes, bare, end] = match
    lines.at(-1)!.push(inQuotes === undefined ? bare! : inQuotes.replaceAll('""', '"'))
    rest = rest.slice(whole.length)
    if (end === ',' && rest === '') lines.at(-1)!.push('')
    if (end !== ',' && rest !== '') lines.push([])
  }
  return lines.filter(fields => fields.length > 1 || (fields[0] ?? '') !== '')
}

/** What a written field says: the quote mark in front of a formula is no part of it. */
export const csvValue = (field: string): string => (/^'[=+\-@\t\r]/.test(field) ? field.slice(1) : field)
