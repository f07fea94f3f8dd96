import { ref, text } from '../../kernel/schema.ts'
import { recordMessages } from '../../record/record.ts'

/** What a plan is to reach; its key results say how that is known. */
export const messages = recordMessages({
  one: 'objective',
  many: 'objectives',
  fields: {
    plan: ref('strategicplan'),
    title: text(255),
    description: text(10_000).optional(),
    assignee: text(128).optional(),
  },
  example: { plan: 'strategicplan-1', title: 'People find us' },
  spellings: { plan_id: 'plan' },
})
