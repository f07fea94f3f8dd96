/** The note's storage and wire contract: add fields, never rename them. */

import { list, personal, ref, text } from '../../kernel/schema.ts'
import { recordMessages } from '../../record/record.ts'

export const messages = recordMessages({
  one: 'note',
  many: 'notes',
  fields: {
    title: text(500),
    body: personal('owner', text(50_000)).optional(),
    tags: list(text(64), 50).default([]),
    project: ref('project').optional(),
    book: ref('notebook').optional(),
  },
  example: { title: 'Colours of the sea', body: 'Blue, green and grey.', tags: ['menu'], project: 'project-1' },
})
