import { messages } from '../../domain/office/contact/messages.ts'
import { recordModel } from '../rows/record-model.ts'

/** One row per contact, for who may read its book. */
export const contacts = recordModel(messages, {
  service: 'office',
  filters: ['book', 'kind', 'groups', 'uid', 'resource'],
  groups: ['book', 'kind'],
  readers: { like: { book: 'contact_books' } },
  memory: { title: { says: 'Contact' }, body: 'name', details: 'groups' },
})
