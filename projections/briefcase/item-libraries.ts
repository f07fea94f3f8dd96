import { messages } from '../../domain/briefcase/library/messages.ts'
import { recordModel } from '../rows/record-model.ts'

export const itemLibraries = recordModel(messages, {
  service: 'briefcase',
  name: 'item_libraries',
  filters: ['briefcase', 'library_type', 'name'],
  memory: { title: 'name' },
})
