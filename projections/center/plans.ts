import { messages } from '../../domain/center/strategicplan/messages.ts'
import { id, list, object, text } from '../../domain/kernel/schema.ts'
import { number } from '../../domain/record/measures.ts'
import { rowsWith } from '../rows/as-of.ts'
import { recordModel } from '../rows/record-model.ts'
import { keyResults, meanProgress } from './keyresults.ts'
import { measurements } from './measurements.ts'
import { objectives } from './objectives.ts'

const objective = object({ id: id('objective'), title: text(255), progress: number(0, 1).nullable() })

/** One row per strategic plan. */
export const strategicPlans = recordModel(messages, {
  service: 'center',
  filters: ['center', 'timeframe_start', 'timeframe_end'],
  groups: ['center'],
  memory: { title: 'name', body: 'description' },
  computed: {
    objectives: {
      schema: list(objective, 10_000).optional().meta({
        description: 'its objectives, with the mean progress of their key results; absent where these may not be read',
      }),
      of: [objectives, keyResults, measurements],
      isDaily: false,
      sql: (row, _, then) => `(select coalesce(jsonb_agg(jsonb_build_object('id', o.id, 'title', o.title,
        'progress', ${meanProgress('o.id', then)}) order by o.id), '[]')
        from ${rowsWith(objectives, ['plan', `${row}.id`], then)} o where o.org = $2 and o.plan = ${row}.id)`,
    },
  },
})
