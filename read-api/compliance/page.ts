/** The evidence of a control as a page that needs nothing but a browser. */
import { escaped, STYLE, table } from '../pages.ts'
import type { Control } from './controls.ts'
import type { Evidence, Period } from './evidence.ts'

type Shown = Pick<Control, 'framework' | 'number' | 'title'> &
  Period & {
    readonly gap?: string | undefined
    readonly org: string
    readonly position: string
    readonly evidence: readonly Evidence[]
  }

/** HTML (UTF-8). */
export function packPage({ number, framework, title, org, from, to, gap, position, evidence }: Shown): string {
  const name = framework === 'soc2' ? 'SOC 2' : 'ISO/IEC 27001:2022'
  const parts = evidence.map(({ what, rows, complete }) => {
    const more = complete
      ? ''
      : '<p><b>These may not be all: ask for a shorter period, or read the list itself.</b></p>\n'
    return `<h2>${escaped(what)}</h2>\n<p>${rows.length} rows</p>\n${more}${table(rows)}`
  })
  return `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>${escaped(`${name} ${number}`)}</title>
<style>${STYLE}</style></head><body>
<h1>${escaped(`${name} ${number}: ${title}`)}</h1>
<p>${escaped(org)}, from ${from.slice(0, 10)} until before ${to.slice(0, 10)}, as of position ${position}.</p>
${gap === undefined ? '' : `<p><b>Not shown here:</b> ${escaped(gap)}</p>`}
${parts.join('\n') || '<p>This system has no evidence for it.</p>'}
</body></html>
`
}
