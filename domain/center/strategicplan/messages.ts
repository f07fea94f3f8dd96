import { date, ref, text } from '../../kernel/schema.ts'
import { recordMessages } from '../../record/record.ts'

/** What a center wants to reach in a span of time: its objectives, with their key results. */
export const messages = recordMessages({
  one: 'strategic plan',
  many: 'plans',
  fields: {
    name: text(255),
    description: text(10_000).optional(),
    center: ref('center').optional(),
    timeframe_start: date,
    timeframe_end: date,
  },
  example: {
    name: 'A shop of our own',
    center: 'center-1',
    timeframe_start: '2027-01-01',
    timeframe_end: '2027-12-31',
  },
  spellings: { center_id: 'center' },
})
