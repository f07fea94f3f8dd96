import type { z } from 'zod'
import { events } from '../../domain/briefcase/book/messages.ts'
import { id, integer, object, text, timestamp, unsigned64 } from '../../domain/kernel/schema.ts'
import { rowsSql } from '../rows/as-of.ts'
import { existing, type Handlers, projection } from '../rows/projection.ts'
import { spelt } from '../rows/spellings.ts'
import { items } from './items.ts'

const row = object({
  org: id('org'),
  book: id('item').meta({ description: 'id of the book, which is that of its item' }),
  part: id('part'),
  kind: text(64),
  title: text(255).optional(),
  content: text(300_000).optional(),
  url: text(2_000).optional(),
  about: id('part').optional(),
  rank: text(255).optional().meta({ description: 'orders the parts of a kind' }),
  version: integer(1, 2 ** 31 - 1).meta({ description: 'the version that wrote it or moved it' }),
  revision: unsigned64,
  created_at: timestamp,
  updated_at: timestamp,
})

const on: Handlers<z.output<typeof row>, typeof events> = {
  BookEdited: {
    keys: ({ data: { parts, moved, removed }, metadata: { org, id } }) =>
      [...parts.map(({ part }) => part), ...moved.map(({ part }) => part), ...removed].map(part => ({
        org,
        book: id,
        part,
      })),
    fold(before, event, { part }) {
      const { data, metadata, revision } = event
      const { org, id: book, at } = metadata
      if (data.removed.includes(String(part))) return null
      const stamps = { version: data.version, revision, updated_at: at }
      const written = data.parts.findLast(each => each.part === part)
      if (written) return { ...written, org, book, created_at: before?.created_at ?? at, ...stamps }
      const { rank } = data.moved.findLast(each => each.part === part)!
      return { ...existing(before, event), rank, ...stamps }
    },
  },
}

/** One row per part of a book: its texts, sections, notes, references and annotations. */
export const bookSections = projection({
  name: 'book_sections',
  service: 'briefcase',
  version: 2,
  history: true,
  of: { book: events },
  row,
  key: ['org', 'book', 'part'],
  readers: { like: { book: 'items' } },
  on,
  // The place of a section is counted without reading what the others say.
  indexes: [['org', 'book', 'kind', 'rank', 'part']],
  computed: {
    ...spelt({ id: 'part', book_id: 'book' }),
    section_order: {
      schema: integer(1, 1_000).optional().meta({
        description: 'its place among the parts of its kind, from 1 on; absent for a part that is there once',
      }),
      of: [],
      isDaily: false,
      sql: (part, _, then) => placeSql(part, then),
    },
  },
  memory: {
    kind: 'book',
    on: {
      BookEdited: {
        subjects: ({ parts, removed }) => [...parts.map(({ part }) => part), ...removed],
        texts({ parts, removed }, subject) {
          const written = removed.includes(subject) ? undefined : parts.findLast(({ part }) => part === subject)
          if (!written) return null
          const { title = written.kind.replaceAll('_', ' '), content = null, url = null } = written
          return { title, body: content, details: url }
        },
      },
    },
  },
  reads: [
    {
      one: 'book part',
      many: 'book parts',
      path: '/items/:id/book/parts',
      permission: 'books.read',
      parents: { id: 'book' },
      within: items,
      names: ['part'],
      order: ['part'],
      walked: ['kind'],
      groups: ['kind'],
      summary: { list: 'The parts of a book.', get: 'A part of a book.' },
    },
  ],
})

/** SQL of how many parts of the kind of one stand in front of it or are it. */
function placeSql(part: string, then: string | undefined): string {
  const fixed = [
    ['org', `${part}.org`],
    ['book', `${part}.book`],
  ] as const
  return `(case when ${part}.rank is not null then (select count(*)::int from ${rowsSql(bookSections, fixed, then)} s
    where s.org = ${part}.org and s.book = ${part}.book and s.kind = ${part}.kind
      and (s.rank, s.part) <= (${part}.rank, ${part}.part)) end)`
}
