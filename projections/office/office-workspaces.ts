import { messages } from '../../domain/office/officeworkspace/messages.ts'
import { recordModel } from '../rows/record-model.ts'

/** One row per workspace of the office. */
export const officeWorkspaces = recordModel(messages, {
  service: 'office',
  filters: ['name', 'projects'],
  memory: { title: 'name', body: 'description' },
})
