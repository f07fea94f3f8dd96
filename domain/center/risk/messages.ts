import { date, oneOf, ref, text } from '../../kernel/schema.ts'
import { number } from '../../record/measures.ts'
import { recordMessages } from '../../record/record.ts'

/** What may go wrong: how likely it is, how bad it would be, and what is done about it. */
export const messages = recordMessages({
  one: 'risk',
  many: 'risks',
  fields: {
    title: text(255),
    description: text(10_000).optional(),
    project: ref('project').optional(),
    category: text(64).optional(),
    probability: number(0, 1).meta({ description: 'how likely it is, from 0 to 1' }),
    impact: number(0, 10).meta({ description: 'how bad it would be, on one scale for all risks: 0 to 1, or 0 to 10' }),
    status: oneOf('open', 'mitigating', 'accepted', 'occurred', 'closed').default('open'),
    assignee: text(128).optional().meta({ description: 'who watches over it' }),
    mitigation_plan: text(10_000).optional(),
    due_on: date.optional(),
  },
  example: {
    title: 'The printer closes',
    project: 'project-1',
    probability: 0.2,
    impact: 0.8,
    mitigation_plan: 'Ask another one.',
  },
  spellings: { project_id: 'project', owner_id: 'assignee', due_date: 'due_on' },
})
