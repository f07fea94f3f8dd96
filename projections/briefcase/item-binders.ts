import { messages } from '../../domain/briefcase/binder/messages.ts'
import { id, integer, list, object, text, timestamp } from '../../domain/kernel/schema.ts'
import { recordModel } from '../rows/record-model.ts'
import { idSql } from '../rows/spellings.ts'

type Entry = { readonly content_type: string; readonly content_id: string }
type Row = { readonly content: readonly Entry[]; readonly content_added_at?: readonly string[] }

/** When each entry was put in: one that a binder had before keeps its time. */
function addedAt({ content }: Row, before: Row | undefined, at: string): readonly string[] {
  const nameOf = ({ content_type: type, content_id: id }: Entry) => `${type} ${id}`
  const known = new Map(before?.content.map((entry, n) => [nameOf(entry), before.content_added_at?.[n]]))
  return content.map(entry => known.get(nameOf(entry)) ?? at)
}

export const itemBinders = recordModel(messages, {
  service: 'briefcase',
  name: 'item_binders',
  version: 2,
  readers: { like: { workspace: 'item_workspaces' } },
  filters: ['workspace', 'name'],
  derived: {
    content_added_at: {
      schema: list(timestamp, 500).meta({ description: 'when each of `content` was put in' }),
      of: (row, before, at) => addedAt(row as unknown as Row, before as unknown as Row | undefined, at),
    },
  },
  computed: {
    binder_content: {
      schema: list(
        object({
          id: text(32),
          binder_id: id('binder'),
          content_type: text(64),
          content_id: id('thing'),
          content_order: integer(1, 500),
          created_at: timestamp,
        }),
        500,
      ).meta({
        description: '`content`, each with its place and when it was put in',
      }),
      of: [],
      isDaily: false,
      sql: row => `(
        select coalesce(jsonb_agg(e.value || jsonb_build_object('binder_id', ${row}.id, 'content_order', e.place,
          'id', ${idSql(`${row}.id`, "e.value ->> 'content_type'", "e.value ->> 'content_id'")},
          'created_at', ${row}.content_added_at -> (e.place - 1)::int) order by e.place), '[]')
        from jsonb_array_elements(${row}.content) with ordinality e(value, place))`,
    },
  },
  memory: { title: 'name' },
})
