import { record } from '../../record/record.ts'
import { messages } from './messages.ts'

export const noteBook = record(messages)
