import { messages } from '../../domain/center/risk/messages.ts'
import { number } from '../../domain/record/measures.ts'
import { recordModel } from '../rows/record-model.ts'

/** One row per risk. */
export const risks = recordModel(messages, {
  service: 'center',
  filters: ['project', 'status', 'assignee', 'category', 'probability', 'impact', 'risk_score'],
  groups: ['project', 'status', 'assignee', 'category'],
  derived: {
    risk_score: {
      schema: number(0, 10).meta({ description: 'probability times impact' }),
      of: ({ probability, impact }) => Math.round(Number(probability) * Number(impact) * 10_000) / 10_000,
    },
  },
  memory: { title: 'title', body: 'description', details: 'mitigation_plan' },
})
