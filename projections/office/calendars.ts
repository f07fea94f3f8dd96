import { messages } from '../../domain/office/calendar/messages.ts'
import { recordModel } from '../rows/record-model.ts'
import { privateColumns } from './private.ts'

/** One row per calendar; personal ones are for their owners, and whom these share them with. */
export const calendars = recordModel(messages, {
  service: 'office',
  filters: ['kind', 'name', 'project', 'team'],
  groups: ['kind', 'project', 'team'],
  derived: privateColumns,
  readers: 'own',
})
