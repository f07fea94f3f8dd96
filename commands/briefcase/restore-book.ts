/** `POST /kbfc/items/:id/book/restore`: gives an earlier version of a book back, as a new version. */
import { book } from '../../domain/briefcase/book/book.ts'
import type { events } from '../../domain/briefcase/book/messages.ts'
import { KogiError } from '../../domain/kernel/errors.ts'
import type { Route } from '../../domain/kernel/route.ts'
import { id, integer, object, text } from '../../domain/kernel/schema.ts'
import { answered, errorsOf } from '../answer.ts'
import { streamOf } from '../ids.ts'
import { type CommandDeps, parseBody, receiptSchema } from '../requests.ts'
import { commandParameters } from '../routes.ts'

type Edited = ReturnType<(typeof events)['BookEdited']['parse']>
type Written = Edited['parts'][number]

/** Versions in one read: each can be as large as a whole book. */
const PAGE = 16
const body = object({
  version: integer(1, 2 ** 31 - 1).meta({ description: 'the version to give back' }),
  comment: text(1_000).optional(),
}).meta({ examples: [{ version: 1, comment: 'The old scope stands.' }] })

/** The route that restores a version: it reads the texts from the log, which the state of a book does not hold. */
export const restoreBookRoute = (deps: CommandDeps): Route => ({
  method: 'POST',
  path: '/kbfc/items/:id/book/restore',
  operationId: 'book.restore',
  summary: 'Give an earlier version of the book of an item back: it becomes the newest one, and no version is lost.',
  permission: 'briefcase.books.write',
  tag: 'kbfc',
  parameters: [{ name: 'id', in: 'path', schema: id('item'), description: 'id of the item' }, ...commandParameters],
  body,
  response: receiptSchema,
  errors: errorsOf(CLIENT),
  async handle(request) {
    const { version: restores, comment } = parseBody(body, request.body)
    const name = request.params.id!
    const parts = await partsOf(deps, streamOf(request.principal.org, book.name, name), restores)
    if (!parts) throw new KogiError('not_found', `The book of ${name} has no version ${restores}.`)
    const rewrite = { restores, parts, ...(comment !== undefined && { comment }) }
    return await answered(deps, CLIENT, request, { id: name, body: rewrite })
  },
})

const CLIENT = {
  aggregate: book,
  name: 'rewrite',
  operationId: 'book.restore',
  method: 'POST',
  path: '/kbfc/items/:id/book/restore',
  permission: 'briefcase.books.write',
  summary: '',
  tag: 'kbfc',
  schema: book.commands.rewrite,
  inPath: [],
  opens: false,
  makes: undefined,
} as const

/** All parts of a version, `undefined` where there is no such version. */
async function partsOf(deps: CommandDeps, stream: string, version: number): Promise<readonly Written[] | undefined> {
  const parts = new Map<string, Written>()
  for (let from = 0n; ; from += BigInt(PAGE)) {
    const events = await deps.store.read(stream, from, PAGE)
    for (const event of events) {
      const data = deps.codec.decode(event).data as Edited
      for (const name of data.removed) parts.delete(name)
      for (const part of data.parts) parts.set(part.part, part)
      for (const { part, rank } of data.moved) parts.set(part, { ...parts.get(part)!, rank })
      if (data.version === version) return [...parts.values()]
    }
    if (events.length < PAGE) return undefined
  }
}
