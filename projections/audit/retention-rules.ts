import { messages } from '../../domain/audit/retentionrule/messages.ts'
import { recordModel } from '../rows/record-model.ts'

/** One row per retention rule. */
export const retentionRules = recordModel(messages, { service: 'audit', filters: ['category'], groups: ['category'] })
