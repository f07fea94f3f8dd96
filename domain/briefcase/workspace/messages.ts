/** A workspace of an item: where one works on it, with its plugins and settings. */
import { jsonObject, list, ref, text } from '../../kernel/schema.ts'
import { recordMessages } from '../../record/record.ts'

export const messages = recordMessages({
  one: 'workspace',
  many: 'workspaces',
  fields: {
    name: text(255),
    item: ref('item'),
    configuration: jsonObject.default({}),
    plugins: list(text(128), 100).default([]),
  },
  example: { name: 'Shop', item: 'item-1', configuration: { theme: 'light' }, plugins: ['board'] },
  spellings: { item_id: 'item' },
})
