/** The page of an export that people read: one file without scripts and without anything from elsewhere. */

const ESCAPES: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
}
/** Controls and marks that turn the direction of text would make a page say what it does not. */
const UNSEEN = /[\p{Cc}\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]/gu

export const escaped = (text: string): string =>
  text.replaceAll(UNSEEN, '\ufffd').replaceAll(/[&<>"']/g, letter => ESCAPES[letter]!)

const STYLE = `
:root { color-scheme: light; font: 16px/1.5 system-ui, sans-serif; color: #1a1a1a; background: #fff }
body { margin: 0 auto; padding: 1rem; max-width: 76rem }
h1 { font-size: 1.6rem; line-height: 1.2; margin: 1rem 0 .5rem } h2 { font-size: 1.2rem; margin: 2rem 0 .5rem }
p, dd, td { overflow-wrap: anywhere }
dl { display: grid; grid-template-columns: max-content 1fr; gap: .25rem 1rem; margin: 0 }
dt { color: #555 } dd { margin: 0 }
table { border-collapse: collapse; width: 100%; font-size: .875rem }
th, td { text-align: left; vertical-align: top; padding: .35rem .5rem; border-bottom: 1px solid #d8d8d8 }
th { border-bottom: 2px solid #888 } .number { text-align: right; font-variant-numeric: tabular-nums }
del { color: #8a1f11; background: #fdf0ee; text-decoration: none } ins { color: #0b5d1e; background: #eef8f0;
  text-decoration: none }
pre { white-space: pre-wrap; overflow-wrap: anywhere; background: #f5f5f5; padding: .75rem; font-size: .8rem }
.note { background: #fff8e1; border-left: 4px solid #d9a400; padding: .5rem .75rem }
@media (max-width: 640px) {
  dl { grid-template-columns: 1fr; gap: 0 } dt { margin-top: .5rem }
  thead { position: absolute; clip-path: inset(50%) }
  tr, td { display: block } tr { border-bottom: 2px solid #888; padding: .5rem 0 }
  td { border: 0; padding: .1rem 0 } td.number { text-align: left }
  td[data-name]::before { content: attr(data-name) ": "; color: #555 }
}
@media print { body { max-width: none; padding: 0 } tr { break-inside: avoid } h2 { break-after: avoid } }
`

/** The text of a page; `body` is HTML. */
export const pageOf = (title: string, body: string): string => `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<title>${escaped(title)}</title>
<style>${STYLE}</style>
</head>
<body>
${body}
</body>
</html>
`

/** A list of names and values; values are text. */
export const listOf = (entries: readonly (readonly [string, string])[]): string =>
  `<dl>${entries.map(([name, value]) => `<dt>${escaped(name)}</dt><dd>${escaped(value)}</dd>`).join('\n')}</dl>`

type Column = { readonly name: string; readonly isNumber?: true }

/** A table of rows of HTML. */
export const tableOf = (columns: readonly Column[], rows: readonly (readonly string[])[]): string => {
  const css = ({ isNumber }: Column) => (isNumber ? ' class="number"' : '')
  const head = columns.map(column => `<th scope="col"${css(column)}>${escaped(column.name)}</th>`).join('')
  const body = rows.map(cells => {
    const made = columns.map((column, at) => `<td data-name="${escaped(column.name)}"${css(column)}>${cells[at]}</td>`)
    return `<tr>${made.join('')}</tr>`
  })
  return `<table><thead><tr>${head}</tr></thead><tbody>\n${body.join('\n')}\n</tbody></table>`
}
