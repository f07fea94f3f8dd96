import { messages } from '../../domain/center/projectresource/messages.ts'
import { recordModel } from '../rows/record-model.ts'

/** One row per project resource. */
export const resources = recordModel(messages, {
  service: 'center',
  filters: ['project', 'resource_type', 'resource_id'],
  groups: ['project', 'resource_type', 'role'],
})
