/** A library of a briefcase: assets and workflows that are used again. */
import { ref, text } from '../../kernel/schema.ts'
import { recordMessages } from '../../record/record.ts'

export const messages = recordMessages({
  one: 'library',
  many: 'libraries',
  fields: {
    name: text(255),
    library_type: text(50),
    briefcase: ref('briefcase').optional(),
  },
  example: { name: 'Type', library_type: 'fonts', briefcase: 'briefcase-1' },
  spellings: { briefcase_id: 'briefcase' },
})
