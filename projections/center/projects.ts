import { messages } from '../../domain/center/project/messages.ts'
import { recordModel } from '../rows/record-model.ts'

/** One row per project. */
export const projects = recordModel(messages, {
  service: 'center',
  version: 2,
  filters: ['status', 'name', 'type', 'center', 'item', 'team', 'starts_on', 'ends_on'],
  groups: ['status', 'type', 'priority', 'center', 'team', 'ends_on'],
  memory: { title: 'name', body: 'description' },
})
