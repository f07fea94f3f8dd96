import type { z } from 'zod'
import { events } from '../../domain/briefcase/book/messages.ts'
import { id, integer, list, object, text, timestamp, unsigned64 } from '../../domain/kernel/schema.ts'
import { subjectName } from '../../domain/record/subject.ts'
import { type Handlers, projection } from '../rows/projection.ts'
import { spelt } from '../rows/spellings.ts'

const row = object({
  org: id('org'),
  id: id('item').meta({ description: 'id of the item, and of its book' }),
  version: integer(1, 2 ** 31 - 1),
  changed: list(id('part'), 2_000).meta({ description: 'the parts that this version wrote or moved' }),
  removed: list(id('part'), 1_000),
  comment: text(1_000).optional(),
  restores: integer(1, 2 ** 31 - 1)
    .optional()
    .meta({ description: 'the version that this one gave back' }),
  edited_by: subjectName,
  revision: unsigned64,
  created_at: timestamp,
  updated_at: timestamp,
})

const on: Handlers<z.output<typeof row>, typeof events> = {
  BookEdited: {
    keys: ({ metadata: { org, id } }) => [{ org, id }],
    fold: (before, { data, metadata: { org, id, at, actor }, revision }) => ({
      org,
      id,
      version: data.version,
      changed: [...data.parts, ...data.moved].map(({ part }) => part),
      removed: data.removed,
      comment: data.comment,
      restores: data.restores,
      edited_by: actor.subject,
      revision,
      created_at: before?.created_at ?? at,
      updated_at: at,
    }),
  },
}

/** One row per book with its newest version; the versions of the row are those of the book. */
export const itemBooks = projection({
  name: 'item_books',
  service: 'briefcase',
  version: 1,
  history: true,
  of: { book: events },
  row,
  key: ['org', 'id'],
  readers: { like: { id: 'items' } },
  on,
  computed: spelt({ item_id: 'id' }),
  reads: [
    {
      one: 'item book',
      many: 'item books',
      path: '/item-books',
      permission: 'books.read',
      names: [],
      order: ['id'],
      filters: ['updated_at'],
      groups: ['edited_by', 'updated_at'],
      summary: { list: 'The books of items, with what is known of their newest versions.' },
    },
  ],
})
