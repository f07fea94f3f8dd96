import type { z } from 'zod'
import { events } from '../../domain/briefcase/item/messages.ts'
import { id, jsonObject, object, oneOf, text, timestamp, unsigned64 } from '../../domain/kernel/schema.ts'
import { type Handlers, keyOfThing, known, projection } from '../rows/projection.ts'

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
type Row = z.output<typeof row>

const on: Handlers<Row, typeof events> = {
  ItemAdded: {
    keys: keyOfThing,
    fold: (_, { data, metadata: { org, id, at }, revision }) => ({
      org,
      id,
      ...data,
      state: 'active',
      revision,
      added_at: at,
      updated_at: at,
    }),
  },
  ItemUpdated: {
    keys: keyOfThing,
    fold: (row, event) => {
      const before = known(row, event)
      const { name, description, metadata } = event.data
      return {
        ...before,
        name: name ?? before.name,
        description: description === undefined ? before.description : (description ?? undefined),
        metadata: metadata ?? before.metadata,
        revision: event.revision,
        updated_at: event.metadata.at,
      }
    },
  },
  ItemStatusChanged: {
    keys: keyOfThing,
    fold: (row, event) => ({
      ...known(row, event),
      status: event.data.to,
      revision: event.revision,
      updated_at: event.metadata.at,
    }),
  },
  ItemArchived: {
    keys: keyOfThing,
    fold: (row, event): Row => ({
      ...known(row, event),
      state: 'archived',
      revision: event.revision,
      updated_at: event.metadata.at,
    }),
  },
}

/** One row per portfolio item, archived ones too. */
export const items = projection({
  name: 'items',
  version: 1,
  history: true,
  of: { item: events },
  row,
  key: ['org', 'id'],
  indexes: [
    ['org', 'state', 'id'],
    ['org', 'status', 'id'],
    ['org', 'type', 'id'],
  ],
  on,
})
