import type { Activity } from '../../kernel/activity.ts'
import { mention, said, THING } from '../../record/said.ts'
import type { events } from './messages.ts'

export const activity: Activity<typeof events> = {
  called: 'name',
  on: {
    ItemAdded: ({ type }) => said`added the item ${THING} (${type}) to the portfolio`,
    ItemUpdated: said`changed the item ${THING}`,
    ItemStatusChanged: ({ from, to }) => said`moved the item ${THING} from ${from} to ${to}`,
    ItemArchived: said`archived the item ${THING}`,
    ItemRestored: said`restored the item ${THING}`,
    ItemValued: ({ on }) => said`valued the item ${THING} as of ${on}`,
    ItemValueWithdrawn: ({ on }) => said`took back the value of the item ${THING} as of ${on}`,
    ItemShared: ({ with: grantee, role }) => said`shared the item ${THING} with ${grantee} as ${role}`,
    ItemUnshared: ({ with: grantee }) => said`shared the item ${THING} with ${grantee} no more`,
    ItemEditingSet: ({ editing }) => said`set the editing of the item ${THING} to ${editing}`,
    ItemPrivacySet: ({ privacy }) => said`set the privacy of the item ${THING} to ${privacy}`,
    ItemPlacementRefused: ({ parent }) => said`refused to place the item ${THING} under ${mention('item', parent)}`,
  },
}
