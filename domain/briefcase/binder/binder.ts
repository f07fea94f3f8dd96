import { record } from '../../record/record.ts'
import { partOfNamed } from '../item/part.ts'
import { messages } from './messages.ts'

export const binder = { ...record(messages), partOf: partOfNamed('workspace') }
