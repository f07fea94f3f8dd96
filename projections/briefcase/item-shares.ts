import type { z } from 'zod'
import { events } from '../../domain/briefcase/item/messages.ts'
import { id, object, oneOf, timestamp, unsigned64 } from '../../domain/kernel/schema.ts'
import { type Handlers, projection } from '../rows/projection.ts'
import { items } from './items.ts'

const row = object({
  org: id('org'),
  item: id('item'),
  kind: oneOf('user', 'team'),
  with: id('user or team'),
  role: oneOf('reader', 'editor', 'owner'),
  revision: unsigned64,
  shared_at: timestamp,
})

const on: Handlers<z.output<typeof row>, typeof events> = {
  ItemAdded: null,
  ItemUpdated: null,
  ItemStatusChanged: null,
  ItemArchived: null,
  ItemRestored: null,
  ItemValued: null,
  ItemValueWithdrawn: null,
  ItemShared: {
    keys: ({ data, metadata: { org, id } }) => [{ org, item: id, kind: data.kind, with: data.with }],
    fold: (_, { data, metadata: { org, id, at }, revision }) => ({ ...data, org, item: id, revision, shared_at: at }),
  },
  ItemUnshared: {
    keys: ({ data, metadata: { org, id } }) => [{ org, item: id, kind: data.kind, with: data.with }],
    fold: () => null,
  },
  ItemEditingSet: null,
  ItemPrivacySet: null,
  ItemPlacementRefused: null,
}

/** One row per user or team that an item is shared with. */
export const itemShares = projection({
  name: 'item_shares',
  service: 'briefcase',
  version: 1,
  history: true,
  of: { item: events },
  row,
  key: ['org', 'item', 'kind', 'with'],
  readers: { like: { item: 'items' } },
  on,
  reads: [
    {
      one: 'share of an item',
      many: 'shares of an item',
      path: '/items/:id/shares',
      permission: 'items.read',
      parents: { id: 'item' },
      within: items,
      since: 'added_revision',
      names: ['kind', 'with'],
      order: ['kind', 'with'],
      groups: ['role'],
      summary: { list: 'Who an item is shared with.', get: 'The role of a user or a team in an item.' },
    },
    {
      one: 'item share',
      many: 'item shares',
      path: '/item-shares',
      permission: 'items.read',
      within: items,
      since: 'added_revision',
      names: [],
      order: ['item', 'kind', 'with'],
      filters: ['with'],
      walked: ['kind', 'role'],
      groups: ['with', 'kind', 'role'],
      summary: { list: 'Which items are shared with whom: `with=mira` are those shared with one.' },
    },
  ],
})
