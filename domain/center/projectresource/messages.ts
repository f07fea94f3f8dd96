import { date, ref, text } from '../../kernel/schema.ts'
import { number } from '../../record/measures.ts'
import { recordMessages } from '../../record/record.ts'

/** Who or what works for a project, for how much of their time. */
export const messages = recordMessages({
  one: 'project resource',
  many: 'resources',
  fields: {
    project: ref('project'),
    resource_type: text(50).meta({ description: 'person, room, machine, …' }),
    resource_id: text(128),
    role: text(100).optional(),
    allocation_percentage: number(0, 100).optional(),
    start_date: date.optional(),
    end_date: date.optional(),
  },
  example: { project: 'project-1', resource_type: 'person', resource_id: 'mira', allocation_percentage: 50 },
  spellings: { project_id: 'project' },
})
