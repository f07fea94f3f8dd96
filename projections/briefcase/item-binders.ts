import { messages } from '../../domain/briefcase/binder/messages.ts'
import { recordModel } from '../rows/record-model.ts'

export const itemBinders = recordModel(messages, {
  service: 'briefcase',
  name: 'item_binders',
  readers: { like: { workspace: 'item_workspaces' } },
  filters: ['workspace', 'name'],
  spellings: { workspace_id: 'workspace' },
  memory: { title: 'name' },
})
