import { messages } from '../../domain/center/project/messages.ts'
import { recordModel } from '../rows/record-model.ts'

/** One row per project. */
export const projects = recordModel(messages, {
  service: 'center',
  filters: ['status', 'name', 'starts_on', 'ends_on'],
  groups: ['status', 'ends_on'],
  memory: { title: 'name', body: 'description' },
})
