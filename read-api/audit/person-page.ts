/** What an organization has of a person, as a page that needs nothing but a browser: no script, no network. */
import { escaped, STYLE, table } from '../pages.ts'
import type { personOf } from './person.ts'

type Person = Awaited<ReturnType<typeof personOf>>

/** HTML (UTF-8). */
export function personPage({ subject, org, position, complete, events, rows, acts }: Person): string {
  const kinds = Object.entries(rows)
  const records = kinds.reduce((sum, [, list]) => sum + list.length, 0)
  const whole = complete ? 'No list on this page is cut.' : 'There is more than this page shows: ask for the rest.'
  const titled = (name: string) => `<h3>${escaped(name.replaceAll('_', ' '))}</h3>`
  const parts = kinds.map(([name, list]) => `${titled(name)}\n${table(list)}`)
  return `<!doctype html>
<html lang="en"><head><meta charset="utf-8">
<title>Data of ${escaped(subject)}</title><style>${STYLE}</style></head><body>
<h1>What ${escaped(org)} has of ${escaped(subject)}</h1>
<p>As of position ${position} of the log of events. ${whole}</p>
<ul>
<li>${counted(events.length, 'entry', 'entries')} with your personal data: they stand encrypted in the log,
and are shown in the clear here</li>
<li>${counted(records, 'record', 'records')} that name you</li>
<li>${counted(acts.length, 'thing', 'things')} that you did</li>
</ul>
<p>A dash in the place of a text says that it was erased for good. Sealed data of other persons is not shown,
nor are legal holds, earlier versions of records and files, and secrets of webhooks.</p>
<h2>Your personal data, as it was written</h2>
${table(events.map(({ data, ...rest }) => ({ ...rest, ...(data as object) })))}
<h2>Records that name you</h2>
${parts.join('\n') || '<p>None.</p>'}
<h2>What you did</h2>
${table(acts)}
<p><small>The same is in data.json, for programs.</small></p>
</body></html>
`
}

const counted = (count: number, one: string, many: string) => `${count} ${count === 1 ? one : many}`
