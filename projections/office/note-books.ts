import { messages } from '../../domain/office/notebook/messages.ts'
import { recordModel } from '../rows/record-model.ts'

/** One row per note book. */
export const noteBooks = recordModel(messages, { service: 'office', filters: ['kind', 'name'], groups: ['kind'] })
