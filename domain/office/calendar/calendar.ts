import { record } from '../../record/record.ts'
import { ownedRecord } from '../private.ts'
import { messages } from './messages.ts'

export const calendar = ownedRecord(record(messages))
