import { list, ref, text } from '../../kernel/schema.ts'
import { number } from '../../record/measures.ts'
import { recordMessages } from '../../record/record.ts'

/** How it is known that an objective is reached: a number that goes from a start to a target. */
export const messages = recordMessages({
  one: 'key result',
  many: 'keyresults',
  fields: {
    objective: ref('objective'),
    title: text(255),
    start: number(-1e15, 1e15).default(0),
    target: number(-1e15, 1e15),
    value: number(-1e15, 1e15).optional().meta({ description: 'how far it is, where no metric measures it' }),
    metric: ref('metric').optional().meta({ description: 'the metric whose last value says how far it is' }),
    projects: list(ref('project'), 100).default([]).meta({ description: 'the projects that work towards it' }),
  },
  example: {
    objective: 'objective-1',
    title: '120 visitors a day',
    target: 120,
    metric: 'metric-1',
    projects: ['project-1'],
  },
  spellings: { objective_id: 'objective', metric_id: 'metric' },
})
