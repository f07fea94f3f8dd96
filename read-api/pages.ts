/** What pages for people are made of: HTML without scripts, which needs no network. */

export const STYLE = `body{font:16px/1.5 sans-serif;max-width:60rem;margin:2rem auto;padding:0 1rem;color:#222}
table{border-collapse:collapse;width:100%;margin:.5rem 0 1.5rem}th,td{border:1px solid #ccc;padding:.3rem .5rem;
text-align:left;vertical-align:top;overflow-wrap:anywhere}th{background:#f3f3f3}small{color:#666}`

/** A table of rows, with the columns that any of them has. */
export function table(rows: readonly Readonly<Record<string, unknown>>[]): string {
  if (rows.length === 0) return '<p>None.</p>'
  const columns = [...new Set(rows.flatMap(row => Object.keys(row)))]
  const head = columns.map(column => `<th>${escaped(column.replaceAll('_', ' '))}</th>`).join('')
  const body = rows.map(row => `<tr>${columns.map(column => `<td>${cell(row, column)}</td>`).join('')}</tr>`)
  return `<table><tr>${head}</tr>\n${body.join('\n')}</table>`
}

function cell(row: Readonly<Record<string, unknown>>, column: string): string {
  const value = row[column]
  if (value === null) return '–'
  if (value === undefined) return ''
  return escaped(typeof value === 'object' ? JSON.stringify(value) : String(value))
}

/** Text as HTML shows it. */
export const escaped = (text: string): string =>
  text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;').replaceAll('"', '&quot;')
