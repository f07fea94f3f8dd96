import { messages } from '../../domain/briefcase/binder/messages.ts'
import { id, integer, list, object, text } from '../../domain/kernel/schema.ts'
import { recordModel } from '../rows/record-model.ts'

export const itemBinders = recordModel(messages, {
  service: 'briefcase',
  name: 'item_binders',
  readers: { like: { workspace: 'item_workspaces' } },
  filters: ['workspace', 'name'],
  computed: {
    binder_content: {
      schema: list(
        object({ content_type: text(64), content_id: id('thing'), content_order: integer(1, 500) }),
        500,
      ).meta({
        description: '`content`, each with its place',
      }),
      of: [],
      isDaily: false,
      sql: row => `(
        select coalesce(jsonb_agg(e.value || jsonb_build_object('content_order', e.place) order by e.place), '[]')
        from jsonb_array_elements(${row}.content) with ordinality e(value, place))`,
    },
  },
  memory: { title: 'name' },
})
