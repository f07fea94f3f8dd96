/** The book of an item over HTTP: whole, its versions, and what changed between two of them. */
import { z } from 'zod'
import { LISTED, TEXTS } from '../../domain/briefcase/book/messages.ts'
import type { Parameter, Route } from '../../domain/kernel/route.ts'
import { id, integer, list, object, oneOf, text, timestamp, unsigned64 } from '../../domain/kernel/schema.ts'
import { itemBooks } from '../../projections/briefcase/item-books.ts'
import { items } from '../../projections/briefcase/items.ts'
import { historyTableOf, quoted, tableOf } from '../../projections/rows/tables.ts'
import { asOfErrors, asOfParameter, noHistoryErrors, wantedOf } from '../as-of.ts'
import { checkpointsSql, earlierOf, positioned, type ReadStore, read, readErrors, tokenOf } from '../consistency.ts'
import { cursorOf, placeOf } from '../cursor.ts'
import {
  fromPath,
  inQuery,
  LIMIT_DEFAULT,
  pageParameters,
  type Queries,
  queriesOf,
  tokenParameters,
  whole,
} from '../parameters.ts'
import { conditionErrors, conditions, taggedAt } from '../revision.ts'
import { type WireRow, wireRow } from '../rows.ts'
import { notFound } from '../scope.ts'
import { changesBetween } from './book-changes.ts'
import { bookVersion } from './book-versions.ts'

const VERSION_MAX = 2 ** 31 - 1
const item: Parameter = { name: 'id', in: 'path', schema: id('item'), description: 'id of the item' }
const version = integer(1, VERSION_MAX)
const asked = (name: string, description: string) =>
  inQuery(name, whole(1, VERSION_MAX).meta({ examples: ['1'] }), description)

const part = object({
  id: id('part'),
  title: text(255).optional(),
  content: text(300_000).optional(),
  url: text(2_000).optional(),
  about: id('part').optional(),
  version,
  created_at: timestamp,
  updated_at: timestamp,
})
const section = part.extend({ section_order: integer(1, 1_000) })
const { comment, restores, edited_by, changed, removed } = itemBooks.row.shape
const bookSchema = object({
  id: id('item'),
  item_id: id('item'),
  version: integer(0, VERSION_MAX).meta({ description: '0 before the first edit' }),
  ...Object.fromEntries(TEXTS.map(name => [name, text(300_000).optional()])),
  sections: list(section, 1_000),
  notes: list(part, 1_000),
  references: list(part, 1_000),
  annotations: list(part, 1_000),
  comment,
  restores,
  edited_by: edited_by.optional().meta({ description: 'absent before the first edit, as `revision`' }),
  revision: unsigned64.optional(),
  created_at: timestamp,
  updated_at: timestamp,
}).meta({ title: 'Book' })

const versionSchema = object({
  version,
  position: unsigned64,
  edited_at: timestamp,
  edited_by,
  comment,
  restores,
  changed,
  removed,
}).meta({ title: 'BookVersion' })

const changesSchema = object({
  from: version,
  to: version,
  parts: list(
    object({
      part: id('part'),
      kind: oneOf(...TEXTS, ...LISTED),
      change: oneOf('added', 'removed', 'changed', 'moved'),
      lines_added: z.int().min(0),
      lines_removed: z.int().min(0),
    }),
    2_000,
  ),
  diff: z.string().meta({ description: 'all changes as a unified diff, with three lines around each' }),
}).meta({ title: 'BookChanges' })

const shared = { method: 'GET', permission: 'briefcase.books.read', tag: 'kbfc' } as const
const errors = { 404: ['not_found'], ...readErrors }

/** The routes of books. */
export const bookRoutes = (deps: ReadStore): Route[] => [wholeRoute(deps), changesRoute(deps), versionsRoute(deps)]

function wholeRoute(deps: ReadStore): Route {
  const parameters = [
    item,
    asked('version', 'the version to read: the newest if left out'),
    asOfParameter,
    ...tokenParameters,
  ]
  return {
    ...shared,
    path: '/kbfc/items/:id/book',
    operationId: 'getBook',
    summary: 'The book of an item with all its parts: the newest version, or an earlier one.',
    parameters: [...parameters, ...conditions],
    response: bookSchema,
    errors: { ...asOfErrors, ...errors, ...conditionErrors },
    async handle(request) {
      const query = queriesOf(request, parameters)
      const wanted = await wantedOf(deps, request, query)
      const name = fromPath(request, 'id', id('item'))
      const { book, parts, position } = await bookVersion(deps, request, name, wanted, query.version)
      return { data: shown(book, parts), ...taggedAt(book.revision, position, wanted.asOf) }
    },
  }
}

/** A book as one document. */
function shown({ org: _, changed: __, removed: ___, ...book }: WireRow, parts: readonly WireRow[]) {
  const texts = parts.filter(({ kind }) => (TEXTS as readonly unknown[]).includes(kind))
  const ofKind = (kind: (typeof LISTED)[number]) => parts.filter(part => part.kind === kind).map(partOf)
  return {
    ...book,
    item_id: book.id,
    ...Object.fromEntries(texts.map(({ kind, content }) => [kind, content])),
    sections: ofKind('section').map((part, n) => ({ ...part, section_order: n + 1 })),
    notes: ofKind('note'),
    references: ofKind('reference'),
    annotations: ofKind('annotation'),
  }
}

const partOf = ({ org: _, book: __, part, kind: ___, rank: ____, revision: _____, ...said }: WireRow) => ({
  id: part,
  ...said,
})

function changesRoute(deps: ReadStore): Route {
  const parameters = [
    item,
    { ...asked('from', 'the earlier version'), required: true },
    asked('to', 'the later version: the newest if left out'),
    ...tokenParameters,
  ]
  return {
    ...shared,
    path: '/kbfc/items/:id/book/diff',
    operationId: 'compareBookVersions',
    summary: 'What changed in a book between two versions, as a unified diff.',
    parameters,
    response: changesSchema,
    errors: { ...noHistoryErrors, ...errors },
    async handle(request) {
      const query = queriesOf(request, parameters)
      const wanted = { token: tokenOf(request, query) }
      const name = fromPath(request, 'id', id('item'))
      const after = await bookVersion(deps, request, name, wanted, query.to)
      const before = await bookVersion(deps, request, name, wanted, query.from ?? '1')
      const data = { from: before.book.version, to: after.book.version, ...changesBetween(before, after) }
      return { data, ...positioned(earlierOf(before.position, after.position)) }
    },
  }
}

const LIST = 'book versions'

function versionsRoute(deps: ReadStore): Route {
  const parameters = [item, ...pageParameters, ...tokenParameters]
  return {
    ...shared,
    path: '/kbfc/items/:id/book/versions',
    operationId: 'listBookVersions',
    summary: 'The versions of a book, newest first, with who made them and which parts they changed.',
    parameters,
    response: z.array(versionSchema),
    errors: { ...noHistoryErrors, ...errors },
    async handle(request) {
      const query = queriesOf(request, parameters)
      const name = fromPath(request, 'id', id('item'))
      const limit = Number(query.limit ?? LIMIT_DEFAULT)
      const statement = versionsStatement(request.principal.org, name, query, limit)
      const { rows, position } = await read(deps, request, statement, { token: tokenOf(request, query) })
      if (rows[0]![2] === false) throw notFound('item', [name], undefined)
      const found = rows.filter(row => row[3] !== null)
      const data = found.slice(0, limit).map(row => wireRow(VERSION, row, 3))
      const next = found.length > limit ? cursorOf(LIST, [String(data.at(-1)!.position)], undefined) : undefined
      return {
        data,
        pagination: { limit, has_more: next !== undefined, ...(next !== undefined && { next }) },
        ...positioned(position),
      }
    },
  }
}

const VERSION = ['version', 'position', 'edited_at', 'edited_by', 'comment', 'restores', 'changed', 'removed']

function versionsStatement(org: string, name: string, { after }: Queries, limit: number) {
  const history = quoted(historyTableOf(itemBooks))
  const before = after === undefined ? [] : placeOf(after, LIST, [unsigned64], undefined)
  const beyond = before.length === 0 ? '' : ' and h._position < $5::bigint'
  const exists = `exists(select from ${quoted(tableOf(items))} i where i.org = $2 and i.id = $3)`
  const text = `select c.position, c.stalled, ${exists}, v.*
    from ${checkpointsSql([itemBooks, items])} left join lateral (
      select h.version, h._position, h.updated_at, h.edited_by, h.comment, h.restores, h.changed, h.removed
      from ${history} h where h.org = $2 and h.id = $3${beyond} order by h._position desc limit $4
    ) v on true order by v._position desc`
  return { of: [itemBooks, items], text, values: [org, name, limit + 1, ...before] }
}
