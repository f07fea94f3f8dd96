import { messages } from '../../domain/center/center/messages.ts'
import { recordModel } from '../rows/record-model.ts'

/** One row per center. */
export const centers = recordModel(messages, {
  service: 'center',
  filters: ['name', 'type'],
  groups: ['type'],
  spellings: { owner_id: 'owner' },
})
