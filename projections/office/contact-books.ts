import { messages } from '../../domain/office/contactbook/messages.ts'
import { recordModel } from '../rows/record-model.ts'
import { privateColumns } from './private.ts'

/** One row per contact book; personal ones are for their owners, and whom these share them with. */
export const contactBooks = recordModel(messages, {
  service: 'office',
  filters: ['kind', 'name'],
  groups: ['kind'],
  derived: privateColumns,
  readers: 'own',
})
