import type { z } from 'zod'
import { events as itemEvents } from '../../domain/briefcase/item/messages.ts'
import { events as taskEvents } from '../../domain/center/task/messages.ts'
import type { DomainEvent } from '../../domain/kernel/event.ts'
import type { Json } from '../../domain/kernel/json.ts'
import { id, object, oneOf, text, timestamp, unsigned64 } from '../../domain/kernel/schema.ts'
import { events as walletEvents } from '../../domain/wallet/wallet/messages.ts'
import { type EventsOf, type Handlers, type Key, known, projection } from '../rows/projection.ts'

const DETAILS_MAX = 10_000
const of = { item: itemEvents, task: taskEvents, wallet: walletEvents } as const

const row = object({
  org: id('org'),
  kind: oneOf('item', 'task', 'entry'),
  subject: id('thing'),
  /** The thing whose stream holds it: the wallet of an entry, otherwise the subject itself. */
  source: id('thing'),
  title: text(1000),
  body: text(10_000).optional(),
  /** The words of free metadata, one value a line. */
  details: text(DETAILS_MAX).optional(),
  at: timestamp,
  position: unsigned64,
})
type Row = z.output<typeof row>

const keyOf =
  (kind: Row['kind']) =>
  ({ metadata: { org, id } }: DomainEvent): readonly Key[] => [{ org, kind, subject: id }]

const on: Handlers<Row, EventsOf<typeof of>> = {
  ItemAdded: {
    keys: keyOf('item'),
    fold: (_, { data: { name, description, metadata }, metadata: { org, id, at }, position }) => ({
      org,
      kind: 'item',
      subject: id,
      source: id,
      title: name,
      body: description,
      details: wordsIn(metadata),
      at,
      position,
    }),
  },
  ItemUpdated: {
    keys: keyOf('item'),
    fold: (row, event) => {
      const before = known(row, event)
      const { name, description, metadata } = event.data
      return {
        ...before,
        title: name ?? before.title,
        body: description === undefined ? before.body : (description ?? undefined),
        details: metadata === undefined ? before.details : wordsIn(metadata),
        at: event.metadata.at,
        position: event.position,
      }
    },
  },
  ItemStatusChanged: null,
  ItemArchived: null,
  TaskCreated: {
    append: ({ data: { name, description }, metadata: { org, id, at }, position }) => [
      { org, kind: 'task', subject: id, source: id, title: name, body: description, at, position },
    ],
  },
  TaskStatusChanged: null,
  TaskAssigned: null,
  TaskMovedToTeam: null,
  TaskCompleted: null,
  WalletOpened: null,
  AccountOpened: null,
  EntryPosted: {
    append: ({ data: { entry, description }, metadata: { org, id, at }, position }) =>
      description === undefined
        ? []
        : [{ org, kind: 'entry', subject: entry, source: id, title: description, at, position }],
  },
  WalletClosed: null,
}

/**
 * One row per item, task and entry that has words: what the search index is built from. Sealed fields are never read.
 * Embeddings will be columns of these rows, computed beside them, and a second ranking in `rank.ts`.
 */
export const memories = projection({
  name: 'memories',
  version: 1,
  history: false,
  of,
  row,
  key: ['org', 'kind', 'subject'],
  indexes: [['org', 'position']],
  on,
})

/** The strings of a JSON value, in the order of its sorted keys so that any copy of the log gives the same text. */
function wordsIn(value: Json): string | undefined {
  const found: string[] = []
  const collect = (node: Json): void => {
    if (typeof node === 'string') {
      if (node !== '') found.push(node)
    } else if (Array.isArray(node)) node.forEach(collect)
    else if (typeof node === 'object' && node !== null) {
      const record = node as { readonly [key: string]: Json }
      for (const key of Object.keys(record).sort()) collect(record[key]!)
    }
  }
  collect(value)
  const all = found.join('\n')
  return all === '' ? undefined : [...all.slice(0, 2 * DETAILS_MAX)].slice(0, DETAILS_MAX).join('')
}
