import type { z } from 'zod'
import { events } from '../../domain/briefcase/tree/messages.ts'
import { id, object, timestamp, unsigned64 } from '../../domain/kernel/schema.ts'
import { type Handlers, projection } from '../rows/projection.ts'

const row = object({
  org: id('org'),
  id: id('item'),
  parent: id('item').meta({ description: 'the item that it stands below' }),
  revision: unsigned64.meta({ description: 'revision of the tree that placed it' }),
  placed_at: timestamp,
})

const on: Handlers<z.output<typeof row>, typeof events> = {
  ItemPlaced: {
    keys: ({ data: { item }, metadata: { org } }) => [{ org, id: item }],
    fold: (_, { data: { item, parent }, metadata: { org, at }, revision }) =>
      parent === null ? null : { org, id: item, parent, revision, placed_at: at },
  },
}

/** One row per item that stands below another one. */
export const itemPlaces = projection({
  name: 'item_places',
  service: 'briefcase',
  version: 1,
  history: true,
  of: { tree: events },
  row,
  key: ['org', 'id'],
  readers: { like: { id: 'items', parent: 'items' }, inEvents: { item: 'items', from: 'items', parent: 'items' } },
  on,
  reads: [
    {
      one: 'item place',
      many: 'item places',
      path: '/item-places',
      permission: 'items.read',
      names: [],
      order: ['id'],
      filters: ['parent'],
      groups: ['parent'],
      summary: { list: 'The tree of the portfolio: the items that stand below others, and below which.' },
    },
  ],
})
