import { messages } from '../../domain/center/page/messages.ts'
import { recordModel } from '../rows/record-model.ts'

/** One row per page. */
export const pages = recordModel(messages, {
  service: 'center',
  filters: ['title', 'project', 'links', 'tags'],
  groups: ['project'],
  memory: { title: 'title', body: 'body', details: 'tags' },
})
