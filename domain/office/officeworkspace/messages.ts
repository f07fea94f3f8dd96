import { list, ref, text } from '../../kernel/schema.ts'
import { recordMessages } from '../../record/record.ts'

/** A workspace of the office: the files, documents and projects that belong together. */
export const messages = recordMessages({
  one: 'office workspace',
  many: 'office workspaces',
  fields: {
    name: text(255),
    description: text(2_000).optional(),
    projects: list(ref('project'), 200).default([]),
    files: list(ref('file'), 500).default([]),
    notes: list(ref('note'), 500).default([]),
    pages: list(ref('page'), 500).default([]),
  },
  example: { name: 'The atlas', projects: ['project-1'] },
})
