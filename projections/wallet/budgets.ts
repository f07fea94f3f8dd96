import { events, messages } from '../../domain/wallet/budget/messages.ts'
import { recordModel } from '../rows/record-model.ts'

/** One row per budget. */
export const budgets = recordModel(messages, {
  service: 'wallet',
  events,
  filters: ['wallet', 'project', 'tag', 'currency', 'period'],
  groups: ['currency', 'period', 'wallet', 'project'],
})
