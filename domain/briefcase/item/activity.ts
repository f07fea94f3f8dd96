import type { Activity } from '../../kernel/activity.ts'
import { said, THING } from '../../record/said.ts'
import type { events } from './messages.ts'

export const activity: Activity<typeof events> = {
  called: 'name',
  on: {
    ItemAdded: ({ type }) => said`added the item ${THING} (${type}) to the portfolio`,
    ItemUpdated: said`changed the item ${THING}`,
    ItemStatusChanged: ({ from, to }) => said`moved the item ${THING} from ${from} to ${to}`,
    ItemArchived: said`archived the item ${THING}`,
  },
}
