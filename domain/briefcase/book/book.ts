import { aggregate, type Context, type Decide, type Evolve } from '../../kernel/aggregate.ts'
import { rejected } from '../../kernel/errors.ts'
import { bytesOf, digestOf } from '../../record/digest.ts'
import { type Keyed, memberOf, noneKeyed, withMember, withoutMember } from '../../record/keyed.ts'
import { rankBetween } from '../../record/rank.ts'
import { said, THING } from '../../record/said.ts'
import { partBy } from '../item/part.ts'
import { commands, events, LISTED, PARTS_MAX, RANK_MAX, rejections, TEXTS } from './messages.ts'

type Edited = ReturnType<(typeof events)['BookEdited']['parse']>
type Written = Edited['parts'][number]
type Kind = Written['kind']

/** What is known of a part: enough to tell whether it changes, and not what it says. */
type Part = {
  readonly kind: Kind
  readonly digest: string
  readonly bytes: number
  readonly rank?: string | undefined
}

/** A book as rules need it. Its size does not follow from how long its texts are or how often it was edited. */
export type Book = {
  readonly status: 'empty' | 'written'
  readonly version: number
  readonly bytes: number
  /** Names of the parts, and what is known of each. */
  readonly names: readonly string[]
  readonly parts: Keyed<Part>
}

/** Bytes of all parts of a book together: one event can hold all of them. */
const BYTES_MAX = 700_000

const evolve: Evolve<Book, typeof events> = {
  BookEdited(book, { version, parts: written, moved, removed }) {
    let { names, parts, bytes } = book
    const gone = new Set(removed)
    const made = new Set(written.map(({ part }) => part).filter(part => memberOf(parts, part) === undefined))
    if (gone.size > 0) names = names.filter(name => !gone.has(name))
    if (made.size > 0) names = [...names, ...made]
    for (const name of removed) {
      bytes -= memberOf(parts, name)?.bytes ?? 0
      parts = withoutMember(parts, name)
    }
    for (const each of written) {
      const known = knownOf(each)
      bytes += known.bytes - (memberOf(parts, each.part)?.bytes ?? 0)
      parts = withMember(parts, each.part, known)
    }
    for (const { part, rank } of moved) parts = withMember(parts, part, { ...memberOf(parts, part)!, rank })
    return { status: 'written', version, bytes, names, parts }
  },
}

const decide: Decide<Book, typeof commands, typeof events> = {
  edit(book, { comment, ...given }, context) {
    const written: Written[] = []
    const removed: string[] = []
    for (const name of TEXTS) {
      const content = given[name]
      if (content === null) removed.push(name)
      else if (content !== undefined) written.push({ part: name, kind: name, content })
    }
    for (const kind of LISTED) {
      const entries = given[`${kind}s`]
      if (entries === undefined) continue
      const all = inOrder(book, kind, entries, context, written.length)
      const kept = new Set(all.map(({ part }) => part))
      written.push(...all)
      removed.push(...namesOf(book, kind).filter(name => !kept.has(name)))
    }
    mustBeOnce(written)
    return edited(book, { ...NOTHING, written, removed: removed.filter(name => memberOf(book.parts, name)), comment })
  },
  writePart(book, { before, comment, ...given }) {
    const { part, kind } = given
    const known = memberOf(book.parts, part)
    if (isListed(kind) === isNamed(part) || (known && known.kind !== kind)) {
      const message = `A part is of one kind, and ${TEXTS.join(', ')} are parts of the same name: choose another name.`
      throw rejected('part_misnamed', message, { part, kind: known?.kind ?? kind })
    }
    const isPlaced = isListed(kind) && (known === undefined || before !== undefined)
    const [{ rank }, ...moved] = isPlaced ? placed(book, kind, part, before ?? null) : [{ rank: known?.rank }]
    return edited(book, { ...NOTHING, written: [{ ...given, ...(rank !== undefined && { rank }) }], moved, comment })
  },
  movePart(book, { part, before, comment }) {
    const { kind, rank } = partOf(book, part)
    if (!isListed(kind)) throw rejected('part_misnamed', 'A book has this part once: it has no place among others.')
    const next = namesOf(book, kind)[namesOf(book, kind).indexOf(part) + 1] ?? null
    if (next === before || rank === undefined) return []
    return edited(book, { ...NOTHING, moved: placed(book, kind, part, before), comment })
  },
  removePart(book, { part, comment }) {
    return memberOf(book.parts, part) ? edited(book, { ...NOTHING, removed: [part], comment }) : []
  },
  rewrite(book, { restores, parts, comment }) {
    const kept = new Set(parts.map(({ part }) => part))
    const removed = book.names.filter(name => !kept.has(name))
    return edited(book, { ...NOTHING, written: parts, removed, comment, restores })
  },
}

/** The living document of an item: parts in order, of which every change makes a version. */
export const book = aggregate({
  name: 'book',
  twinOf: 'item',
  events,
  commands,
  api: {
    edit: [
      'PUT /items/:id/book',
      'books.write',
      'Edit the book of an item: what is named is replaced, null removes, what is left out stays. It makes a version.',
    ],
    writePart: [
      'PUT /items/:id/book/parts/:part',
      'books.write',
      'Write a part of a book, a new one or one that is there.',
    ],
    movePart: ['PUT /items/:id/book/parts/:part/place', 'books.write', 'Move a part of a book to another place.'],
    removePart: ['DELETE /items/:id/book/parts/:part', 'books.write', 'Remove a part from a book; versions keep it.'],
    rewrite: 'internal',
  },
  rejections,
  initial: { status: 'empty', version: 0, bytes: 0, names: [], parts: noneKeyed } as Book,
  evolve,
  decide,
  partOf: partBy('item', (_, __, id) => [id]),
  stateSchema: 2,
  activity: {
    on: {
      BookEdited: ({ version, restores }) =>
        restores === undefined
          ? said`edited the book of the item ${THING} (version ${String(version)})`
          : said`gave version ${String(restores)} of the book of the item ${THING} back`,
    },
  },
})

/** Names that no listed part can have: those of texts, and that of a read. */
const isNamed = (part: string): boolean => [...TEXTS, 'summary'].includes(part)
const isListed = (kind: Kind): boolean => (LISTED as readonly string[]).includes(kind)

const knownOf = ({ part: _, rank, kind, title = '', content = '', url = '', about = '' }: Written): Part => {
  const said = [title, content, url, about]
  const bytes = said.reduce((sum, text) => sum + bytesOf(text), 0)
  return { kind, digest: digestOf(said.join('\0')), bytes, ...(rank !== undefined && { rank }) }
}

function partOf({ parts }: Book, name: string): Part {
  const part = memberOf(parts, name)
  if (!part) throw rejected('part_unknown', `The book has no part ${name}.`, { part: name })
  return part
}

/** The parts of a kind, in order. */
const namesOf = ({ names, parts }: Book, kind: Kind): readonly string[] =>
  names
    .map(name => [name, memberOf(parts, name)!] as const)
    .filter(([, part]) => part.kind === kind)
    .sort(([, { rank: a = '' }], [, { rank: b = '' }]) => (a < b ? -1 : a > b ? 1 : 0))
    .map(([name]) => name)

type Placed = { readonly part: string; readonly rank: string }

/**
 * The rank of a part right before another one of its kind, or behind all of them; and new ranks of the others where
 * the ranks on both sides leave no room for one that is short enough.
 */
function placed(book: Book, kind: Kind, part: string, before: string | null): readonly [Placed, ...Placed[]] {
  const others = namesOf(book, kind).filter(name => name !== part)
  const at = before === null ? others.length : others.indexOf(before)
  if (at < 0)
    throw rejected('part_unknown', `There is no part ${before} of this kind to stand before.`, { before: before! })
  const rankAt = (n: number) => (others[n] === undefined ? undefined : partOf(book, others[n]).rank)
  const rank = rankBetween(rankAt(at - 1) ?? '', rankAt(at))
  if (rank.length <= RANK_MAX) return [{ part, rank }]
  const all = rankedAnew(others.toSpliced(at, 0, part))
  return [all[at]!, ...all.toSpliced(at, 1)]
}

/** Names in order with the shortest ranks. */
function rankedAnew(names: readonly string[]): readonly Placed[] {
  let rank = ''
  return names.map(part => {
    rank = rankBetween(rank, undefined)
    return { part, rank }
  })
}

/** Refuses an edit that has a part twice: only one of the two could be kept. */
function mustBeOnce(written: readonly Written[]): void {
  const names = new Set<string>()
  for (const { part, kind } of written) {
    if (names.has(part)) {
      throw rejected('part_named_twice', 'Each part has an id of its own: leave out the second one.', { part, kind })
    }
    names.add(part)
  }
}

type Entry = { readonly id?: string | undefined } & Omit<Written, 'part' | 'kind' | 'rank'>

/** All parts of a kind as a list has them. One keeps its rank where it still stands behind the one before. */
function inOrder(book: Book, kind: Kind, entries: readonly Entry[], { newId }: Context, from: number): Written[] {
  let last = ''
  const parts = entries.map(({ id, ...said }, n) => {
    const part = id ?? newId(from + n)
    const known = memberOf(book.parts, part)
    if ((known && known.kind !== kind) || isNamed(part)) {
      throw rejected('part_misnamed', `The book has another kind of part that is called so.`, { part, kind })
    }
    const isBehind = known?.rank !== undefined && known.rank > last
    last = isBehind ? known.rank! : rankBetween(last, undefined)
    return { part, kind, rank: last, ...said }
  })
  if (parts.every(({ rank }) => rank.length <= RANK_MAX)) return parts
  const ranks = rankedAnew(parts.map(({ part }) => part))
  return parts.map((part, n) => ({ ...part, ...ranks[n]! }))
}

type Edit = {
  readonly written: readonly Written[]
  readonly moved: readonly Placed[]
  readonly removed: readonly string[]
  readonly comment?: string | undefined
  readonly restores?: number
}
const NOTHING: Edit = { written: [], moved: [], removed: [] }

/** The version that an edit makes, of what it changes alone; none where all is so already. */
function edited(book: Book, { written, moved: shifted, removed, comment, restores }: Edit) {
  const parts: Written[] = []
  const moved = shifted.filter(({ part, rank }) => memberOf(book.parts, part)!.rank !== rank)
  for (const each of written) {
    const [before, now] = [memberOf(book.parts, each.part), knownOf(each)]
    if (!before || before.kind !== now.kind || before.digest !== now.digest) parts.push(each)
    else if (now.rank !== undefined && now.rank !== before.rank) moved.push({ part: each.part, rank: now.rank })
  }
  if (parts.length + moved.length + removed.length === 0) return []
  const data = {
    version: book.version + 1,
    parts,
    moved,
    removed: [...removed],
    ...(comment !== undefined && { comment }),
    ...(restores !== undefined && { restores }),
  }
  mustFit(evolve.BookEdited(book, data, ''))
  return [{ type: 'BookEdited' as const, data }]
}

function mustFit({ bytes, names }: Book): void {
  if (bytes > BYTES_MAX) {
    throw rejected('book_too_large', 'Put some of it into files of the item.', { bytes, most: BYTES_MAX })
  }
  if (names.length > PARTS_MAX) throw rejected('book_full', 'Put several parts together.', { most: PARTS_MAX })
}
