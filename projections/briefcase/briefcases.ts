import { messages } from '../../domain/briefcase/briefcase/messages.ts'
import { recordModel } from '../rows/record-model.ts'

export const briefcases = recordModel(messages, {
  service: 'briefcase',
  filters: ['name'],
  spellings: { owner_id: 'owner' },
  memory: { title: 'name', body: 'description' },
})
