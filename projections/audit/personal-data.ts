import type { z } from 'zod'
import { events as webhook } from '../../domain/apps/webhook/messages.ts'
import { events as inbox } from '../../domain/hub/inbox/messages.ts'
import { events as user } from '../../domain/identity/user/messages.ts'
import type { Vocabulary } from '../../domain/kernel/aggregate.ts'
import { id, integer, object, plainOf, sealed, text, timestamp, unsigned64 } from '../../domain/kernel/schema.ts'
import { events as memory } from '../../domain/memory/memory/messages.ts'
import { messages as calendarevent } from '../../domain/office/calendarevent/messages.ts'
import { messages as contact } from '../../domain/office/contact/messages.ts'
import { messages as note } from '../../domain/office/note/messages.ts'
import { messages as office } from '../../domain/office/office/messages.ts'
import { subjectName } from '../../domain/record/subject.ts'
import { events as wallet } from '../../domain/wallet/wallet/messages.ts'
import { type AnyHandler, type Handler, projection } from '../rows/projection.ts'

const row = object({
  org: id('org'),
  subject: subjectName,
  category: text(64),
  id: id('thing'),
  events: integer(1, 2 ** 31 - 1).meta({ description: 'how many events of the thing hold sealed data of the person' }),
  first_at: timestamp,
  last_at: timestamp.meta({ description: 'when the last of them was written: retention counts from here' }),
  last_position: unsigned64,
})

const holds: Handler<z.output<typeof row>, unknown> = {
  keys: ({ metadata: { org, id, subjects }, category }) => subjects.map(subject => ({ org, subject, category, id })),
  fold: (before, { metadata: { org, id, at }, category, position }, { subject }) => ({
    org,
    subject: String(subject),
    category,
    id,
    events: (before?.events ?? 0) + 1,
    first_at: before?.first_at ?? at,
    last_at: at,
    last_position: position,
  }),
}

/** Whether an event has a sealed field. */
const isSealed = (event: z.ZodObject) =>
  Object.values(event.shape).some(field => plainOf(field as z.ZodType) === sealed)

const handlersOf = (events: Vocabulary): Readonly<Record<string, AnyHandler | null>> =>
  Object.fromEntries(Object.entries(events).map(([type, event]) => [type, isSealed(event) ? holds : null]))

const of: Readonly<Record<string, Vocabulary>> = {
  wallet,
  note: note.events,
  office: office.events,
  contact: contact.events,
  calendarevent: calendarevent.events,
  inbox,
  webhook,
  memory,
  user,
}

/** Which things hold sealed data of which person: one row for each of both. A test finds a category that is missing. */
export const personalData = projection({
  name: 'personal_data',
  service: 'audit',
  version: 4,
  history: true,
  of,
  row,
  key: ['org', 'subject', 'category', 'id'],
  isOfOthers: true,
  on: Object.assign({}, ...Object.values(of).map(handlersOf)) as Readonly<Record<string, AnyHandler | null>>,
  reads: [
    {
      one: 'holding of personal data',
      many: 'holdings of personal data',
      path: '/personal-data',
      permission: 'personal-data.read',
      names: [],
      order: ['subject', 'category', 'id'],
      filters: ['subject', 'last_at'],
      walked: ['category', 'id'],
      groups: ['subject', 'category', 'last_at'],
      sums: ['events'],
      summary: { list: 'Which things hold sealed data of which person, since when and until when.' },
    },
  ],
})
