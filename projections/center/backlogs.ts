import type { z } from 'zod'
import { events, RANK_MAX } from '../../domain/center/backlog/messages.ts'
import type { DomainEvent } from '../../domain/kernel/event.ts'
import { id, integer, object, text, timestamp, unsigned64 } from '../../domain/kernel/schema.ts'
import { OF_ORG, rowAsOf, rowsSql } from '../rows/as-of.ts'
import { type Handlers, projection } from '../rows/projection.ts'
import { idOf, speltAs } from '../rows/spellings.ts'
import { tableOf } from '../rows/tables.ts'
import { changed, made, removed } from '../rows/thing.ts'
import { tasks } from './tasks.ts'

const row = object({
  org: id('org'),
  id: id('backlog'),
  project: id('project').optional(),
  name: text(255),
  description: text(10_000).optional(),
  items: integer(0, 10_000),
  revision: unsigned64,
  created_revision: unsigned64.meta({ description: 'its revision when it was opened, last' }),
  created_at: timestamp,
  updated_at: timestamp,
})

const on: Handlers<z.output<typeof row>, typeof events> = {
  BacklogOpened: made((data, at, revision) => ({ ...data, items: 0, created_revision: revision, created_at: at })),
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
  version: 2,
  history: true,
  of: { backlog: events },
  row,
  key: ['org', 'id'],
  computed: speltAs(row.shape, { project_id: 'project' }),
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
  placed_at: timestamp,
})
type ItemRow = z.output<typeof itemRow>
type OfTask = { readonly task: string }

type Placed = OfTask & { readonly rank: string }

const keyOf = ({ metadata: { org, id } }: DomainEvent, task: string, rank: string) => ({ org, backlog: id, rank, task })
const fold = (event: DomainEvent<string, Placed & { readonly itemType: string }>): ItemRow => ({
  ...keyOf(event, event.data.task, event.data.rank),
  item_type: event.data.itemType,
  revision: event.revision,
  placed_at: event.metadata.at,
})

const onItems: Handlers<ItemRow, typeof events> = {
  BacklogOpened: null,
  BacklogChanged: null,
  BacklogRemoved: null,
  BacklogItemAdded: {
    keys: event => [keyOf(event, event.data.task, event.data.rank)],
    fold: (_, event) => fold(event),
  },
  BacklogItemMoved: {
    keys: event => [event.data.from, event.data.rank].map(rank => keyOf(event, event.data.task, rank)),
    fold: (_, event, { rank }) => (rank === event.data.from ? null : fold(event)),
  },
  BacklogItemRemoved: { keys: event => [keyOf(event, event.data.task, event.data.rank)], fold: () => null },
}

/** One row per task in a backlog. */
export const backlogItems = projection({
  name: 'backlog_items',
  service: 'center',
  version: 1,
  history: true,
  of: { backlog: events },
  row: itemRow,
  key: ['org', 'backlog', 'rank', 'task'],
  computed: {
    id: idOf('backlog', 'task'),
    ...speltAs(itemRow.shape, {
      backlog_id: 'backlog',
      task_id: 'task',
      created_at: 'placed_at',
      updated_at: 'placed_at',
    }),
    priority: {
      schema: integer(1, 10_000).meta({ description: 'its place in the backlog, from 1 on' }),
      of: [],
      isDaily: false,
      sql: (item, _, then) => placeSql(item, then),
    },
    status: {
      schema: text(64)
        .optional()
        .meta({ description: 'status of the task; absent where that was removed or may not be read' }),
      of: [tasks],
      isDaily: false,
      sql: (item, _, then) => statusSql(item, then),
    },
  },
  on: onItems,
  reads: [
    {
      one: 'backlog item',
      many: 'backlog items',
      path: '/backlogs/:id/items',
      permission: 'backlogs.read',
      parents: { id: 'backlog' },
      within: backlogs,
      since: 'created_revision',
      names: ['rank', 'task'],
      order: ['rank', 'task'],
      groups: ['item_type'],
      summary: { list: 'The tasks of a backlog, in its order.', get: 'A task of a backlog.' },
    },
  ],
})

/** SQL of how many items of the backlog stand in front of one or are that one. */
function placeSql(item: string, then: string | undefined): string {
  return `(select count(*)::int from ${rowsSql(backlogItems, OF_ORG, then)} b
    where b.org = ${item}.org and b.backlog = ${item}.backlog and (b.rank, b.task) <= (${item}.rank, ${item}.task))`
}

function statusSql(item: string, then: string | undefined): string {
  const key = [
    ['org', `${item}.org`],
    ['id', `${item}.task`],
  ] as const
  if (then !== undefined) return `(select w.status from ${rowAsOf(tasks, key, then)} w)`
  return `(select w.status from ${tableOf(tasks)} w where w.org = ${item}.org and w.id = ${item}.task)`
}
