import { messages } from '../../domain/briefcase/workspace/messages.ts'
import { id, list, object, text } from '../../domain/kernel/schema.ts'
import { rowsSql } from '../rows/as-of.ts'
import { recordModel } from '../rows/record-model.ts'
import { itemFiles } from './item-files.ts'

const FILES_MAX = 100

export const itemWorkspaces = recordModel(messages, {
  service: 'briefcase',
  name: 'item_workspaces',
  readers: { like: { item: 'items' } },
  filters: ['item', 'name'],
  spellings: { owner_id: 'owner' },
  computed: {
    files: {
      schema: list(object({ id: id('file'), name: text(255) }), FILES_MAX)
        .optional()
        .meta({
          description:
            `files of its item, ${FILES_MAX} of them at most: \`/items/:id/files\` has all; ` +
            'absent for those who may not read files',
        }),
      of: [itemFiles],
      isDaily: false,
      sql: (row, _, then) => {
        // The item of a file never changes: its versions are found by it.
        const fixed = [
          ['org', `${row}.org`],
          ['item', `${row}.item`],
        ] as const
        return `(select coalesce(jsonb_agg(jsonb_build_object('id', f.id, 'name', f.name) order by f.id), '[]')
          from (select x.id, x.name from ${rowsSql(itemFiles, fixed, then)} x
            where x.org = ${row}.org and x.item = ${row}.item order by x.id limit ${FILES_MAX}) f)`
      },
    },
  },
  memory: { title: 'name' },
})
