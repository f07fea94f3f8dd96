import { oneOf, text } from '../../kernel/schema.ts'
import { recordMessages } from '../../record/record.ts'
import { sharedWith } from '../private.ts'

/** A book of contacts: of one person, of their work, or of the whole organization. */
export const messages = recordMessages({
  one: 'contact book',
  many: 'contact books',
  fields: {
    name: text(255),
    kind: oneOf('personal', 'professional', 'organizational').default('personal'),
    description: text(2_000).optional(),
    shared_with: sharedWith,
  },
  example: { name: 'Clients', kind: 'professional' },
})
