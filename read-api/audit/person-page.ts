/** What an organization has of a person, as a page that needs nothing but a browser: no script, no network. */
import { escaped, STYLE, table } from '../pages.ts'
import type { personOf } from './person.ts'

type Person = Awaited<ReturnType<typeof personOf>>

/** How many rows of each part there are. */
export type PersonCounts = Readonly<Record<'events' | 'records' | 'acts' | 'concerning', number>>

/** HTML (UTF-8). */
export function personPage(person: Person): string {
  const { complete, events, rows, acts, concerning } = person
  const kinds = Object.entries(rows)
  const records = kinds.reduce((sum, [, list]) => sum + list.length, 0)
  const parts: readonly (readonly [string, readonly Readonly<Record<string, unknown>>[]])[] = [
    ['events', events],
    ...kinds,
    ['acts', acts],
    ['concerning', concerning],
  ]
  const counts = { events: events.length, records, acts: acts.length, concerning: concerning.length }
  const said = parts
    .filter(([, list]) => list.length > 0)
    .map(([kind, list]) => `${titleOf(kind)}${tableOf(kind, list)}`)
  return `${pageHead(person)}${said.join('')}${pageEnd(counts, complete)}`
}

/** What stands above all tables. */
export const pageHead = ({ subject, org, position }: Pick<Person, 'subject' | 'org' | 'position'>): string =>
  `<!doctype html>
<html lang="en"><head><meta charset="utf-8">
<title>Data of ${escaped(subject)}</title><style>${STYLE}</style></head><body>
<h1>What ${escaped(org)} has of ${escaped(subject)}</h1>
<p>As of position ${escaped(position)} of the log of events. How much there is of each kind stands at the end.</p>
<p>A dash in the place of a text says that it was erased for good. Sealed data of other persons is not shown,
nor are legal holds, earlier versions of records and files, and secrets of webhooks.</p>
`

const TITLES: Readonly<Record<string, string>> = {
  events: 'Your personal data, as it was written',
  acts: 'What you did',
  concerning: 'What others did that concerns you',
}

/** The title of the tables of a kind. */
export const titleOf = (kind: string): string => {
  const title = TITLES[kind]
  return title === undefined
    ? `<h2>Records that name you: ${escaped(kind.replaceAll('_', ' '))}</h2>\n`
    : `<h2>${title}</h2>\n`
}

/** A table of rows of a kind. */
export const tableOf = (kind: string, rows: readonly Readonly<Record<string, unknown>>[]): string =>
  `${table(kind === 'events' ? rows.map(({ data, ...rest }) => ({ ...rest, ...(data as object) })) : rows)}\n`

/** What stands below them. */
export const pageEnd = ({ events, records, acts, concerning }: PersonCounts, complete: boolean): string =>
  `<h2>How much there is</h2>
<ul>
<li>${counted(events, 'entry', 'entries')} with your personal data: they stand encrypted in the log,
and are shown in the clear here</li>
<li>${counted(records, 'record', 'records')} that name you</li>
<li>${counted(acts, 'thing', 'things')} that you did</li>
<li>${counted(concerning, 'thing', 'things')} that others did to things with your data, or with your name</li>
</ul>
<p>${complete ? 'No list on this page is cut.' : 'There is more than this page shows: ask for the rest.'}</p>
<p><small>The same is in data.json, for programs.</small></p>
</body></html>
`

const counted = (count: number, one: string, many: string) => `${count} ${count === 1 ? one : many}`
