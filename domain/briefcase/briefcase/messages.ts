/** What a briefcase is: what holds the items of a portfolio together. */
import { text } from '../../kernel/schema.ts'
import { recordMessages } from '../../record/record.ts'

export const messages = recordMessages({
  one: 'briefcase',
  many: 'briefcases',
  fields: { name: text(255), description: text(10_000).optional() },
  example: { name: 'Studio Mira', description: 'All that the studio made and owns.' },
})
