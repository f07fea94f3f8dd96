import { messages } from '../../domain/office/office/messages.ts'
import { recordModel } from '../rows/record-model.ts'

/** One row per digital office. */
export const offices = recordModel(messages, {
  service: 'office',
  filters: ['name', 'skills'],
  memory: { title: 'name', body: 'about', details: 'skills' },
})
