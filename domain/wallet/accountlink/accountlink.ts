import { record } from '../../record/record.ts'
import { messages } from './messages.ts'

/** Links between accounts and other things. */
export const accountLink = record(messages)
