import { messages } from '../../domain/office/note/messages.ts'
import { recordModel } from '../rows/record-model.ts'

/** One row per note. */
export const notes = recordModel(messages, {
  service: 'office',
  filters: ['project', 'tags', 'title'],
  groups: ['project'],
  memory: { title: 'title', body: 'body', details: 'tags' },
})
