import { record } from '../../record/record.ts'
import { partOf } from '../private.ts'
import { messages } from './messages.ts'

/** An entry of a contact book: who may change the book may change it. */
export const contact = { ...record(messages), partOf: partOf('contactbook', 'book') }
