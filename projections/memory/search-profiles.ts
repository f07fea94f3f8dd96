import { messages } from '../../domain/memory/searchprofile/messages.ts'
import { recordModel } from '../rows/record-model.ts'

/** One row per search profile. */
export const searchProfiles = recordModel(messages, { service: 'memory' })
