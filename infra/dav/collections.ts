/** What the two trees of the server are made of: calendars of events, and books of contacts. */
import { idIn } from '../../commands/office/import.ts'
import { eventsIn } from '../../domain/office/calendarevent/ics.ts'
import { calendarText, type EventRow } from '../../domain/office/calendarevent/ics-text.ts'
import { cardsOf } from '../../domain/office/contact/vcard.ts'
import { cardText } from '../../domain/office/contact/vcard-text.ts'
import type { LineFault } from '../../domain/record/content-line.ts'
import type { Property } from './xml.ts'

export type Row = Readonly<Record<string, unknown>> & { readonly id: string; readonly revision: string }
type Fields = Readonly<Record<string, unknown>>

/** A kind of collection: its path below `/dav/`, the operations that it is read and changed by, and its files. */
export type Collections = {
  readonly path: string
  readonly title: string
  readonly homeSet: string
  /** Operations of the API. */
  readonly lists: string
  readonly makes: string
  readonly removes: string
  readonly things: string
  readonly thing: string
  /** The field of a thing that names its collection. */
  readonly into: string
  /** The end of file names, their type, and the property that reports give them as. */
  readonly ending: string
  readonly type: string
  readonly data: string
  readonly properties: (row: Row) => readonly Property[]
  readonly made: (id: string, name: string) => object
  /** The one thing of a file. */
  readonly read: (text: string) => { readonly fields?: Fields; readonly faults: readonly LineFault[] }
  readonly write: (rows: readonly Row[], name?: string) => string
  /** Fields that no file says: they stay as they are. */
  readonly kept: readonly string[]
}

const one = (found: readonly { readonly fields: Fields }[], faults: readonly LineFault[]) => {
  if (found.length === 1) return { fields: found[0]!.fields, faults: [] }
  return { faults: [...faults, { line: 1, message: `must hold one thing, and holds ${found.length}` }] }
}

export const CALENDARS: Collections = {
  path: 'calendars',
  title: 'Calendars',
  homeSet: 'C:calendar-home-set',
  lists: 'listCalendars',
  makes: 'calendar.add',
  removes: 'calendar.remove',
  things: 'listCalendarEvents',
  thing: 'calendarevent',
  into: 'calendar',
  ending: '.ics',
  type: 'text/calendar; charset=utf-8; component=VEVENT',
  data: 'C:calendar-data',
  properties: ({ color }) => [
    ['D:resourcetype', '<D:collection/><C:calendar/>'],
    ['C:supported-calendar-component-set', '<C:comp name="VEVENT"/>'],
    ...(typeof color === 'string' && /^#[0-9a-f]{6,8}$/i.test(color) ? [['I:calendar-color', color] as const] : []),
  ],
  made: (id, name) => ({ id, name, kind: 'personal' }),
  read(text) {
    const { events, faults } = eventsIn(text)
    return one(events, faults)
  },
  write: (rows, name) => calendarText(rows as unknown as readonly EventRow[], name),
  kept: ['kind', 'project'],
}

export const BOOKS: Collections = {
  path: 'contacts',
  title: 'Contacts',
  homeSet: 'A:addressbook-home-set',
  lists: 'listContactBooks',
  makes: 'contactbook.add',
  removes: 'contactbook.remove',
  things: 'listContacts',
  thing: 'contact',
  into: 'book',
  ending: '.vcf',
  type: 'text/vcard; charset=utf-8',
  data: 'A:address-data',
  properties: () => [['D:resourcetype', '<D:collection/><A:addressbook/>']],
  made: (id, name) => ({ id, name, kind: 'personal' }),
  read(text) {
    const { cards, faults } = cardsOf(text)
    return one(cards, faults)
  },
  write: rows => rows.map(row => cardText(row, '3.0')).join(''),
  kept: [],
}

/** The name of a thing's file. */
export const fileName = ({ ending }: Collections, { id, uid, resource }: Row): string =>
  String(resource ?? `${uid ?? id}${ending}`)

/** The body of the command that stores a file under a name, and the id of a new thing. */
export function stored(kind: Collections, collection: string, name: string, fields: Fields, before: Row | undefined) {
  const kept = Object.fromEntries(kind.kept.flatMap(field => (before?.[field] == null ? [] : [[field, before[field]]])))
  const isOwn = name === `${fields.uid}${kind.ending}`
  const body = { ...kept, ...fields, [kind.into]: collection, ...(!isOwn && { resource: name }) }
  return { id: before?.id ?? idIn(collection, fields), body }
}
