import { messages } from '../../domain/exchange/listing/messages.ts'
import { recordModel } from '../rows/record-model.ts'

/** One row per listing. */
export const listings = recordModel(messages, {
  service: 'exchange',
  filters: ['kind', 'status', 'category', 'vendor', 'currency', 'price', 'tags', 'item'],
  groups: ['kind', 'status', 'category', 'vendor', 'currency'],
  memory: { title: 'title', body: 'description', details: 'tags' },
})
