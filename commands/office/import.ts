/** Files of contacts and of events: each card and each event is a command of its own. */
import { z } from 'zod'
import type { Route } from '../../domain/kernel/route.ts'
import { id, integer, object } from '../../domain/kernel/schema.ts'
import { eventsIn } from '../../domain/office/calendarevent/ics.ts'
import { cardsOf } from '../../domain/office/contact/vcard.ts'
import { officeService } from '../../domain/office/service.ts'
import type { LineFault } from '../../domain/record/content-line.ts'
import { uuidOf } from '../ids.ts'
import { givenEach, keyParameter, refusedSchema } from '../many.ts'
import {
  type CommandDeps,
  checkedKey,
  commandsOf,
  dryRunOf,
  dryRunParameter,
  invalidBody,
  parseBody,
} from '../requests.ts'

const THINGS_MAX = 10_000
const BODY_BYTES_MAX = 32 * 1024 * 1024

/** A thing of a file: `uid` tells that another file has the same one. */
type Found = { readonly line: number; readonly fields: Readonly<Record<string, unknown>> }
type Read = { readonly found: readonly Found[]; readonly faults: readonly LineFault[] }

type Kind = {
  readonly path: string
  readonly operationId: string
  readonly summary: string
  readonly category: string
  /** The field that names what the things go into. */
  readonly into: string
  readonly whole: string
  readonly permission: string
  readonly example: string
  readonly read: (text: string) => Read
}

const KINDS: readonly Kind[] = [
  {
    path: '/koff/contact-books/:id/vcards',
    operationId: 'importContacts',
    summary: 'Add the contacts of a vCard file (2.1, 3.0, 4.0) to a book, and replace those that it has already.',
    category: 'contact',
    into: 'book',
    whole: 'contactbook',
    permission: 'office.contacts.write',
    example: 'BEGIN:VCARD\nVERSION:4.0\nFN:Ada Lovelace\nEMAIL:ada@example.org\nEND:VCARD\n',
    read(text) {
      const { cards, faults } = cardsOf(text)
      return { found: cards, faults }
    },
  },
  {
    path: '/koff/calendars/:id/ics',
    operationId: 'importEvents',
    summary: 'Add the events of an iCalendar file to a calendar, and replace those that it has already.',
    category: 'calendarevent',
    into: 'calendar',
    whole: 'calendar',
    permission: 'office.calendar-events.write',
    example:
      'BEGIN:VCALENDAR\nVERSION:2.0\nBEGIN:VEVENT\nUID:proofs\nDTSTART:20261207T080000Z\nSUMMARY:Proofs\n' +
      'END:VEVENT\nEND:VCALENDAR\n',
    read(text) {
      const { events, faults } = eventsIn(text)
      return { found: events, faults }
    },
  },
]

const commands = commandsOf([officeService])
const clientOf = (operationId: string) => commands.find(each => each.operationId === operationId)!

const response = object({
  created: integer(0, THINGS_MAX),
  changed: integer(0, THINGS_MAX),
  refused: refusedSchema.meta({ description: 'what was left out and why, by line; `malformed`: it could not be read' }),
})

/** The routes of imports. The id of a thing follows from what it goes into and its UID. */
export const officeImportRoutes = (deps: CommandDeps): readonly Route[] => KINDS.map(kind => importRoute(deps, kind))

function importRoute(deps: CommandDeps, kind: Kind): Route {
  const { category, into, whole, example } = kind
  const body = object({ content: z.string().min(1).max(BODY_BYTES_MAX).meta({ description: 'the file' }) }).meta({
    examples: [{ content: example }],
  })
  const [add, replace] = [clientOf(`${category}.add`), clientOf(`${category}.replace`)]
  return {
    method: 'POST',
    path: kind.path,
    operationId: kind.operationId,
    summary: kind.summary,
    permission: kind.permission,
    tag: 'koff',
    parameters: [
      { name: 'id', in: 'path', schema: id(whole), description: `id of the ${whole}` },
      keyParameter,
      dryRunParameter,
    ],
    body,
    bodyBytesMax: BODY_BYTES_MAX,
    response: response.meta({ title: `${kind.operationId[0]!.toUpperCase()}${kind.operationId.slice(1)}` }),
    answerHeaders: ['Kogi-Position', 'Idempotency-Key'],
    errors: { 409: ['conflict'], 503: ['engine_unavailable', 'outcome_unknown'] },
    async handle(request) {
      const { content } = parseBody(body, request.body)
      const dryRun = dryRunOf(request.query)
      const key = checkedKey(request.header('idempotency-key') ?? deps.newKey())
      const { found, faults } = kind.read(content)
      const told = faults.map(({ line, message }) => ({ line, code: 'malformed', message: message.slice(0, 1_000) }))
      if (found.length === 0 && told.length > 0) {
        throw invalidBody(
          told.slice(0, 20).map(({ line, message }) => ({ field: 'content', message: `line ${line}: ${message}` })),
        )
      }
      if (found.length > THINGS_MAX) throw invalidBody([{ field: 'content', message: `has more than ${THINGS_MAX}` }])
      const items = found.map(({ line, fields }) => {
        const name = idIn(request.params.id!, fields)
        const whole = { ...fields, [into]: request.params.id! }
        return {
          line,
          tries: [
            { client: add, body: { id: name, ...whole }, unless: `${category}_already_added` },
            { client: replace, id: name, body: whole },
          ],
        }
      })
      const { done, refused, headers } = await givenEach(deps, request, { items, key, dryRun })
      const created = done.filter(at => at === 0).length
      const all = [...told, ...refused].toSorted((a, b) => a.line - b.line)
      return { data: { created, changed: done.length - created, refused: all }, headers }
    },
  }
}

/** The id of a thing with a UID in a book or a calendar; one without has its id from all that it says. */
export const idIn = (into: string, { uid, ...fields }: Readonly<Record<string, unknown>>): string =>
  uuidOf([into, JSON.stringify(uid ?? fields)])
