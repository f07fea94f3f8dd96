import { oneOf, ref, text } from '../../kernel/schema.ts'
import { number } from '../../record/measures.ts'
import { recordMessages } from '../../record/record.ts'

/** What is measured of a project or of all: its values are measurements. */
export const messages = recordMessages({
  one: 'metric',
  many: 'metrics',
  fields: {
    name: text(100),
    description: text(10_000).optional(),
    project: ref('project').optional(),
    unit: text(50).optional(),
    target: number(-1e15, 1e15).optional(),
    direction: oneOf('up', 'down').default('up').meta({ description: 'whether more is better, or less' }),
  },
  example: { name: 'Visitors', project: 'project-1', unit: 'people a day', target: 120 },
  spellings: { project_id: 'project', metric_name: 'name', target_value: 'target' },
})
