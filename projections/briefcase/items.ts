import type { z } from 'zod'
import { events } from '../../domain/briefcase/item/messages.ts'
import { id, jsonObject, object, oneOf, text, timestamp, unsigned64 } from '../../domain/kernel/schema.ts'
import { wordsIn } from '../memory/texts.ts'
import { type Handlers, projection } from '../rows/projection.ts'
import { changed, made } from '../rows/thing.ts'

const row = object({
  org: id('org'),
  id: id('item'),
  type: text(64),
  name: text(500),
  description: text(10_000).optional(),
  status: text(64),
  state: oneOf('active', 'archived'),
  metadata: jsonObject,
  owner: id('user'),
  revision: unsigned64,
  added_at: timestamp,
  updated_at: timestamp,
})

const on: Handlers<z.output<typeof row>, typeof events> = {
  ItemAdded: made((data, at) => ({ ...data, state: 'active', added_at: at })),
  ItemUpdated: changed(({ type, name, description, metadata }, row) => ({
    type: type ?? row.type,
    name: name ?? row.name,
    description: description === undefined ? row.description : (description ?? undefined),
    metadata: metadata ?? row.metadata,
  })),
  ItemStatusChanged: changed(({ to }) => ({ status: to })),
  ItemArchived: changed(() => ({ state: 'archived' })),
}

/** One row per portfolio item, archived ones too. */
export const items = projection({
  name: 'items',
  service: 'briefcase',
  version: 2,
  history: true,
  of: { item: events },
  row,
  key: ['org', 'id'],
  on,
  reads: [
    {
      one: 'item',
      many: 'items',
      path: '/items',
      permission: 'items.read',
      names: ['id'],
      order: ['id'],
      filters: ['state', 'status', 'type', 'owner', 'name', 'added_at'],
      groups: ['state', 'status', 'type', 'owner', 'added_at'],
      summary: { list: 'The portfolio: its items, archived ones too.', get: 'An item of the portfolio.' },
    },
  ],
  memory: {
    kind: 'item',
    on: {
      ItemAdded: {
        anew: ({ name, description, metadata }) => ({ title: name, body: description, details: wordsIn(metadata) }),
      },
      ItemUpdated: {
        revise: ({ name, description, metadata }) => ({
          title: name,
          body: description,
          details: metadata === undefined ? undefined : wordsIn(metadata),
        }),
      },
    },
  },
})
