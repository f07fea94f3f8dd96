import { messages } from '../../domain/briefcase/workspace/messages.ts'
import { recordModel } from '../rows/record-model.ts'

export const itemWorkspaces = recordModel(messages, {
  service: 'briefcase',
  name: 'item_workspaces',
  readers: { like: { item: 'items' } },
  filters: ['item', 'name'],
  spellings: { item_id: 'item', owner_id: 'owner' },
  memory: { title: 'name' },
})
