/** The project's storage and wire contract: add fields, never rename them. */

import { date, text } from '../../kernel/schema.ts'
import { recordMessages } from '../../record/record.ts'

export const messages = recordMessages({
  one: 'project',
  many: 'projects',
  fields: {
    name: text(500),
    description: text(10_000).optional(),
    status: text(64).default('planned'),
    starts_on: date.optional(),
    ends_on: date.optional(),
  },
  example: { name: 'Website for a bakery', status: 'active', starts_on: '2026-11-02' },
})
