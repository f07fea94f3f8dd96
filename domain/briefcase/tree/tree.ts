import { aggregate, type Decide, type Evolve } from '../../kernel/aggregate.ts'
import { rejected } from '../../kernel/errors.ts'
import { type Keyed, memberOf, noneKeyed, withMember, withoutMember } from '../../record/keyed.ts'
import { mention, said } from '../../record/said.ts'
import { partBy } from '../item/part.ts'
import { commands, events, rejections } from './messages.ts'

/** The item above each item that is not at the top. */
type Tree = { readonly status: 'flat' | 'grown'; readonly parents: Keyed<string>; readonly count: number }

/** The id of the one tree of an organization. */
export const TREE = 'portfolio'
/** Items of an organization that can stand below others. */
const PLACED_MAX = 50_000

const evolve: Evolve<Tree, typeof events> = {
  ItemPlaced({ parents, count }, { item, from, parent }) {
    const status = 'grown'
    if (parent === null) return { status, parents: withoutMember(parents, item), count: count - 1 }
    return { status, parents: withMember(parents, item, parent), count: from === null ? count + 1 : count }
  },
}

const decide: Decide<Tree, typeof commands, typeof events> = {
  place({ parents, count }, { item, parent }) {
    const from = memberOf(parents, item) ?? null
    if (from === parent) return []
    for (let above = parent ?? undefined; above !== undefined; above = memberOf(parents, above)) {
      if (above !== item) continue
      const message = 'The item would stand below itself: choose one that is not below it.'
      throw rejected('item_below_itself', message, { item, parent: parent! })
    }
    if (from === null && count >= PLACED_MAX) {
      throw rejected('tree_full', 'Leave items at the top, or tell them apart by tags.', { most: PLACED_MAX })
    }
    return [{ type: 'ItemPlaced', data: { item, from, parent } }]
  },
}

/** Which item stands below which: one tree for each organization, so that no two moves at once can make a circle. */
export const tree = aggregate({
  name: 'tree',
  only: TREE,
  events,
  commands,
  api: {
    place: [
      'PUT /items/:item/parent',
      'items.write',
      'Place an item, with all that is below it, under another one; null places it at the top.',
    ],
  },
  rejections,
  initial: { status: 'flat', parents: noneKeyed, count: 0 } as Tree,
  evolve,
  decide,
  partOf: partBy('item', (_, { item, parent }) => [item, parent]),
  stateSchema: 1,
  activity: {
    on: {
      ItemPlaced: ({ item, parent }) =>
        parent === null
          ? said`moved the item ${mention('item', item)} to the top`
          : said`moved the item ${mention('item', item)} under ${mention('item', parent)}`,
    },
  },
  spellings: { parent_id: 'parent' },
})
