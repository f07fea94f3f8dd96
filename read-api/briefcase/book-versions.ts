/** The book of an item as it was in a version, or as of a position. */
import { KogiError } from '../../domain/kernel/errors.ts'
import type { ApiRequest } from '../../domain/kernel/route.ts'
import { bookSections } from '../../projections/briefcase/book-sections.ts'
import { itemBooks } from '../../projections/briefcase/item-books.ts'
import { items } from '../../projections/briefcase/items.ts'
import { type Fixed, rowAsOf, tableAsOf } from '../../projections/rows/as-of.ts'
import { historyTableOf, quoted, tableOf } from '../../projections/rows/tables.ts'
import { checkpointsSql, earlierOf, type ReadStore, read, type Statement, type Wanted } from '../consistency.ts'
import { columnsOf, type WireRow, wireRow } from '../rows.ts'
import { notFound, selected } from '../scope.ts'

/** A version of a book: what is known of it, and its parts in order. */
export type BookVersion = {
  readonly book: WireRow
  readonly parts: readonly WireRow[]
  /** The position that the answer is as new as. */
  readonly position: bigint
}

const OF = [itemBooks, bookSections]
const [BOOK, PART] = [columnsOf(itemBooks), columnsOf(bookSections)]
const FIXED: Fixed = [
  ['org', '$2'],
  ['id', '$3'],
]

/**
 * Reads a book in one statement: its newest version, that of a position, or one by its number. The book of an item that
 * was never edited is empty, of version 0, and has been there since the item was added.
 */
export async function bookVersion(
  deps: ReadStore,
  request: ApiRequest,
  id: string,
  wanted: Wanted,
  version?: string,
): Promise<BookVersion> {
  const { org } = request.principal
  const statement = version === undefined ? bookStatement([org, id], wanted) : versionStatement(org, id, version)
  const { rows, position } = await read(deps, request, statement, wanted)
  if (rows[0]![2] === null) {
    if (version === undefined) {
      const empty = await emptyBook(deps, request, id, wanted)
      return { ...empty, position: earlierOf(position, empty.position) }
    }
    throw new KogiError('not_found', `The book of ${id} has no version ${version}.`)
  }
  const found = rows.filter(row => row[2 + BOOK.length] !== null)
  const parts = found.map(row => wireRow(PART, row, 2 + BOOK.length))
  return { book: wireRow(BOOK, rows[0]!, 2), parts, position }
}

async function emptyBook(deps: ReadStore, request: ApiRequest, id: string, wanted: Wanted): Promise<BookVersion> {
  const { asOf } = wanted
  const item = asOf
    ? rowAsOf(items, FIXED, '$4')
    : `(select * from ${quoted(tableOf(items))} where org = $2 and id = $3)`
  const text = `select c.position, c.stalled, i.added_at from ${checkpointsSql([items])} left join ${item} i on true`
  const { org } = request.principal
  const values = asOf ? [org, id, asOf.position] : [org, id]
  const { rows, position } = await read(deps, request, { of: [items], text, values }, wanted)
  const at = rows[0]![2] as string | null
  if (at === null) throw notFound('item', [id], asOf)
  return { book: { org, id, version: 0, created_at: at, updated_at: at }, parts: [], position }
}

function bookStatement(names: readonly string[], { asOf }: Wanted): Statement {
  const book =
    asOf === undefined
      ? `(select * from ${tableOf(itemBooks)} where org = $2 and id = $3)`
      : rowAsOf(itemBooks, FIXED, '$4')
  const parts = asOf === undefined ? tableOf(bookSections) : partsAsOf('$4')
  return { of: OF, text: textOf(book, parts), values: asOf === undefined ? names : [...names, asOf.position] }
}

/** A version is what the row of the book was, and the parts that there were at its position. */
function versionStatement(org: string, id: string, version: string): Statement {
  const history = quoted(historyTableOf(itemBooks))
  const book = `(select * from ${history} h where h.org = $2 and h.id = $3 and h.version = $4)`
  return { of: OF, text: textOf(book, partsAsOf('b._position')), values: [org, id, version] }
}

const partsAsOf = (position: string) =>
  tableAsOf(
    bookSections,
    [
      ['org', '$2'],
      ['book', '$3'],
    ],
    position,
  )

const textOf = (
  book: string,
  parts: string,
) => `select c.position, c.stalled, ${selected('b', BOOK)}, ${selected('p', PART)}
  from ${checkpointsSql(OF)} left join ${book} b on true
  left join lateral (select * from ${parts} p where p.org = b.org and p.book = b.id) p on true
  order by p.rank, p.part`
