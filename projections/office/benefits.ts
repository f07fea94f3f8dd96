import { messages } from '../../domain/office/benefit/messages.ts'
import { recordModel } from '../rows/record-model.ts'

/** One row per benefit of a member. */
export const benefits = recordModel(messages, {
  service: 'office',
  filters: ['plan', 'member', 'starts_on', 'ends_on', 'standing_order'],
  groups: ['plan', 'member', 'currency'],
})
