/** The project's storage and wire contract: add fields, never rename them. */
import { date, jsonObject, oneOf, ref, text } from '../../kernel/schema.ts'
import { recordMessages } from '../../record/record.ts'
import { PROJECT_TYPES } from '../workflow/built-in.ts'
import { workflow } from '../workflow/statuses.ts'

export const messages = recordMessages({
  one: 'project',
  many: 'projects',
  fields: {
    name: text(500),
    description: text(10_000).optional(),
    status: text(64).default('planned'),
    starts_on: date.optional(),
    ends_on: date.optional(),
    type: oneOf(...PROJECT_TYPES).optional(),
    priority: oneOf('low', 'medium', 'high', 'critical').optional(),
    center: ref('center').optional(),
    template: ref('projecttemplate').optional(),
    workflow: workflow.optional(),
    task_workflow: workflow.optional(),
    item: ref('item').optional(),
    wallet: ref('wallet').optional(),
    team: text(128).optional(),
    metadata: jsonObject.optional(),
  },
  example: { name: 'Website for a bakery', status: 'active', starts_on: '2026-11-02' },
  spellings: {
    project_type: 'type',
    start_date: 'starts_on',
    end_date: 'ends_on',
    center_id: 'center',
    template_id: 'template',
    portfolio_item_id: 'item',
    wallet_id: 'wallet',
    team_id: 'team',
  },
})
