import { messages } from '../../domain/center/metric/messages.ts'
import { timestamp } from '../../domain/kernel/schema.ts'
import { number } from '../../domain/record/measures.ts'
import { recordModel } from '../rows/record-model.ts'
import { latestOf, measurements } from './measurements.ts'

/** One row per metric. */
export const metrics = recordModel(messages, {
  service: 'center',
  filters: ['project', 'name'],
  groups: ['project', 'unit'],
  computed: {
    value: {
      schema: number(-1e15, 1e15).optional().meta({ description: 'the last value that was measured' }),
      of: [measurements],
      isDaily: false,
      sql: (row, _, then) => latestOf(`${row}.id`, then),
    },
    metric_value: {
      schema: number(-1e15, 1e15).optional().meta({ description: 'the same as `value`' }),
      of: [measurements],
      isDaily: false,
      sql: (row, _, then) => latestOf(`${row}.id`, then),
    },
    measured_at: {
      schema: timestamp.optional().meta({ description: 'when that was measured' }),
      of: [measurements],
      isDaily: false,
      sql: (row, _, then) => latestOf(`${row}.id`, then, 'measured_at'),
    },
  },
})
