import { ref, text, timestamp } from '../../kernel/schema.ts'
import { number } from '../../record/measures.ts'
import { recordMessages } from '../../record/record.ts'

/** A value of a metric at a time. */
export const messages = recordMessages({
  one: 'measurement',
  many: 'measurements',
  fields: {
    metric: ref('metric'),
    value: number(-1e15, 1e15),
    measured_at: timestamp,
    note: text(1000).optional(),
  },
  example: { metric: 'metric-1', value: 96.5, measured_at: '2026-11-20T18:00:00.000Z' },
  spellings: { metric_id: 'metric', metric_value: 'value' },
})
