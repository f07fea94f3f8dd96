import { text } from '../../kernel/schema.ts'
import { recordMessages } from '../../record/record.ts'
import { workflow } from '../workflow/statuses.ts'

/** A type of projects of one's own: the workflows that projects made from it begin with. */
export const messages = recordMessages({
  one: 'project template',
  many: 'templates',
  fields: {
    name: text(255),
    description: text(10_000).optional(),
    workflow: workflow.optional(),
    task_workflow: workflow.optional(),
  },
  example: {
    name: 'Exhibition',
    workflow: {
      name: 'exhibition',
      statuses: [
        { name: 'planned', stage: 'todo', next: ['hanging'] },
        { name: 'hanging', stage: 'doing', next: ['open'] },
        { name: 'open', stage: 'doing', next: ['closed'] },
        { name: 'closed', stage: 'done', next: [] },
      ],
    },
    task_workflow: 'task',
  },
})
