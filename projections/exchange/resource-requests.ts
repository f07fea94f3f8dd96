import { messages } from '../../domain/exchange/resourcerequest/messages.ts'
import { recordModel } from '../rows/record-model.ts'

/** One row per request for a resource. */
export const resourceRequests = recordModel(messages, {
  service: 'exchange',
  filters: ['status', 'traits', 'unit', 'from', 'to', 'project'],
  groups: ['status', 'unit', 'project'],
  memory: { title: 'title', details: 'traits' },
})
