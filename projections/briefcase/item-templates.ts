import { messages } from '../../domain/briefcase/itemtemplate/messages.ts'
import { recordModel } from '../rows/record-model.ts'

export const itemTemplates = recordModel(messages, {
  service: 'briefcase',
  name: 'item_templates',
  filters: ['title', 'type'],
  memory: { title: 'title' },
})
