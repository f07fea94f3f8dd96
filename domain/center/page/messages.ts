import { list, ref, text } from '../../kernel/schema.ts'
import { recordMessages } from '../../record/record.ts'

/** A page of the knowledge base. Its earlier versions are read with `as_of`, compared and restored. */
export const messages = recordMessages({
  one: 'page',
  many: 'pages',
  fields: {
    title: text(255),
    body: text(100_000).optional(),
    project: ref('project').optional(),
    links: list(ref('page'), 200).default([]).meta({ description: 'the pages that it links to' }),
    tags: list(text(64), 50).default([]),
  },
  example: { title: 'How we print', body: 'Ask for a proof first.', tags: ['print'] },
  spellings: { project_id: 'project' },
})
