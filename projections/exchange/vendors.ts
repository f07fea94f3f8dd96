import { messages } from '../../domain/exchange/vendor/messages.ts'
import { recordModel } from '../rows/record-model.ts'

/** One row per vendor profile. */
export const vendors = recordModel(messages, {
  service: 'exchange',
  filters: ['party', 'categories', 'status', 'location', 'name'],
  groups: ['status', 'location'],
  memory: { title: 'name', body: 'about', details: 'categories' },
})
