import { text } from '../../kernel/schema.ts'
import { recordMessages } from '../../record/record.ts'

/** A place of command: the projects and plans of a worker, a team or an organization. */
export const messages = recordMessages({
  one: 'center',
  many: 'centers',
  fields: {
    name: text(255),
    type: text(50).meta({ description: 'personal, team, organization, …' }).default('personal'),
    description: text(10_000).optional(),
  },
  example: { name: 'Studio', type: 'personal' },
  spellings: { center_type: 'type' },
})
