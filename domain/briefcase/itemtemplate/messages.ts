/** A template: what new items begin with. */
import { jsonObject, list, text } from '../../kernel/schema.ts'
import { recordMessages } from '../../record/record.ts'

export const messages = recordMessages({
  one: 'item template',
  many: 'item templates',
  fields: {
    title: text(255),
    type: text(64).default('project'),
    status: text(64).default('draft'),
    description: text(10_000).optional(),
    metadata: jsonObject.default({}),
    tags: list(text(64), 50).default([]),
  },
  example: { title: 'Website', type: 'project', tags: ['web'], metadata: { pages: 5 } },
})
