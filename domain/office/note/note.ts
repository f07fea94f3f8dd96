import { record } from '../../record/record.ts'
import { messages } from './messages.ts'

/** A written note: a title, a sealed body, tags, and the project that it is about. */
export const note = record(messages)
