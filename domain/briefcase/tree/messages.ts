/** The storage and wire contract of the tree of a portfolio: add, never rename; change a shape with an upcaster. */
import { id, object, ref } from '../../kernel/schema.ts'

export const events = {
  /** `null`: at the top. */
  ItemPlaced: object({ item: id('item'), from: id('item').nullable(), parent: id('item').nullable() }),
} as const

export const commands = {
  place: object({ item: ref('item'), parent: ref('item').nullable() }).meta({
    examples: [{ item: 'item-1', parent: null }],
  }),
} as const

export const rejections = ['item_below_itself', 'tree_full'] as const
