import { messages } from '../../domain/center/projecttemplate/messages.ts'
import { recordModel } from '../rows/record-model.ts'

/** One row per type of projects of one's own. */
export const projectTemplates = recordModel(messages, { service: 'center', filters: ['name'] })
