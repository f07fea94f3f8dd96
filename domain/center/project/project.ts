import { record } from '../../record/record.ts'
import { messages } from './messages.ts'

/** Work with an aim and an end, which notes refer to. */
export const project = record(messages)
