import { messages } from '../../domain/center/objective/messages.ts'
import { recordModel } from '../rows/record-model.ts'
import { objectiveProgress } from './keyresults.ts'

/** One row per objective. */
export const objectives = recordModel(messages, {
  service: 'center',
  filters: ['plan', 'assignee'],
  groups: ['plan', 'assignee'],
  versionLookups: ['plan'],
  computed: { progress: objectiveProgress },
})
