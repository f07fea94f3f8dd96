import { oneOf, text } from '../../kernel/schema.ts'
import { recordMessages } from '../../record/record.ts'

/** A book of notes. */
export const messages = recordMessages({
  one: 'note book',
  many: 'note books',
  fields: {
    name: text(255),
    kind: oneOf('memos', 'references', 'guidelines').default('memos'),
    description: text(2_000).optional(),
  },
  example: { name: 'How we work', kind: 'guidelines' },
})
