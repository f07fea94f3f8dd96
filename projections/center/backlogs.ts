import type { z } from 'zod'
import { events, RANK_MAX } from '../../domain/center/backlog/messages.ts'
import type { DomainEvent } from '../../domain/kernel/event.ts'
import { id, integer, object, text, timestamp, unsigned64 } from '../../domain/kernel/schema.ts'
import { existing, type Handlers, projection } from '../rows/projection.ts'
import { changed, made, removed } from '../rows/thing.ts'

const row = object({
  org: id('org'),
  id: id('backlog'),
  project: id('project').optional(),
  name: text(255),
  description: text(10_000).optional(),
  items: integer(0, 10_000),
  revision: unsigned64,
  created_at: timestamp,
  updated_at: timestamp,
})

const on: Handlers<z.output<typeof row>, typeof events> = {
  BacklogOpened: made((data, at) => ({ ...data, items: 0, created_at: at })),
  BacklogChanged: changed(({ name, description }, row) => ({
    name: name ?? row.name,
    description: description === undefined ? row.description : (description ?? undefined),
  })),
  BacklogRemoved: removed,
  BacklogItemAdded: changed((_, { items }) => ({ items: items + 1 })),
  BacklogItemMoved: changed(() => ({})),
  BacklogItemRemoved: changed((_, { items }) => ({ items: items - 1 })),
}

/** One row per backlog. */
export const backlogs = projection({
  name: 'backlogs',
  service: 'center',
  version: 1,
  history: true,
  of: { backlog: events },
  row,
  key: ['org', 'id'],
  on,
  reads: [
    {
      one: 'backlog',
      many: 'backlogs',
      path: '/backlogs',
      permission: 'backlogs.read',
      names: ['id'],
      order: ['id'],
      filters: ['project'],
      groups: ['project'],
      summary: { list: 'The backlogs of the organization.', get: 'A backlog.' },
    },
  ],
})

const itemRow = object({
  org: id('org'),
  backlog: id('backlog'),
  task: id('task'),
  item_type: text(50),
  rank: text(RANK_MAX),
  revision: unsigned64,
  added_at: timestamp,
})
type ItemRow = z.output<typeof itemRow>
type OfTask = { readonly task: string }

const keys = ({ data, metadata: { org, id } }: DomainEvent<string, OfTask>) => [{ org, backlog: id, task: data.task }]

const onItems: Handlers<ItemRow, typeof events> = {
  BacklogOpened: null,
  BacklogChanged: null,
  BacklogRemoved: null,
  BacklogItemAdded: {
    keys,
    fold: (_, { data: { itemType, ...data }, revision, metadata: { org, id, at } }) => ({
      org,
      backlog: id,
      ...data,
      item_type: itemType,
      revision,
      added_at: at,
    }),
  },
  BacklogItemMoved: {
    keys,
    fold: (row, event) => ({ ...existing(row, event), rank: event.data.rank, revision: event.revision }),
  },
  BacklogItemRemoved: { keys, fold: () => null },
}

/** One row per task in a backlog. */
export const backlogItems = projection({
  name: 'backlog_items',
  service: 'center',
  version: 1,
  history: false,
  of: { backlog: events },
  row: itemRow,
  key: ['org', 'backlog', 'task'],
  on: onItems,
  reads: [
    {
      one: 'backlog item',
      many: 'backlog items',
      path: '/backlogs/:id/items',
      permission: 'backlogs.read',
      parents: { id: 'backlog' },
      within: backlogs,
      names: ['task'],
      order: ['rank', 'task'],
      groups: ['item_type'],
      summary: { list: 'The tasks of a backlog, in its order.', get: 'A task of a backlog.' },
    },
  ],
})
