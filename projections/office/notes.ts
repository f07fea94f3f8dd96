import { messages } from '../../domain/office/note/messages.ts'
import { recordModel } from '../rows/record-model.ts'

/** One row per note. */
export const notes = recordModel(messages, {
  service: 'office',
  version: 2,
  filters: ['project', 'book', 'tags', 'title'],
  groups: ['project', 'book'],
  memory: { title: 'title', body: 'body', details: 'tags' },
})
