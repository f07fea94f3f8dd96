/** Places a new item below the one that it was added under. */
import { item } from '../../../domain/briefcase/item/item.ts'
import { events } from '../../../domain/briefcase/item/messages.ts'
import { TREE, tree } from '../../../domain/briefcase/tree/tree.ts'
import { process, step } from '../process.ts'

export const placementProcess = process({
  name: 'placement',
  of: { item: events },
  on: {
    ItemAdded({ data: { parent }, metadata: { id } }) {
      if (parent === undefined) return []
      return [
        step(tree, 'place', TREE, { item: id, parent }, ({ code, message }) =>
          step(item, 'refusePlacement', id, { parent, code: code.slice(0, 64), reason: message.slice(0, 1000) }),
        ),
      ]
    },
    ItemUpdated: null,
    ItemStatusChanged: null,
    ItemArchived: null,
    ItemRestored: null,
    ItemValued: null,
    ItemValueWithdrawn: null,
    ItemShared: null,
    ItemUnshared: null,
    ItemEditingSet: null,
    ItemPrivacySet: null,
    ItemPlacementRefused: null,
  },
})
