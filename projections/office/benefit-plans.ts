import { messages } from '../../domain/office/benefitplan/messages.ts'
import { recordModel } from '../rows/record-model.ts'

/** One row per plan of benefits. */
export const benefitPlans = recordModel(messages, {
  service: 'office',
  filters: ['kind', 'name', 'provider'],
  groups: ['kind'],
  memory: { title: 'name', body: 'terms' },
})
