import { record } from '../../record/record.ts'
import { messages } from './messages.ts'

/** What may be spent in each period: read beside what was spent (read-api/wallet/budget.ts). */
export const budget = record(messages)
