import { record } from '../../record/record.ts'
import { partOfNamed } from '../item/part.ts'
import { messages } from './messages.ts'

export const workspace = { ...record(messages), partOf: partOfNamed('item') }
