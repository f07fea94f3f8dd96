import type { z } from 'zod'
import { events } from '../../domain/briefcase/item/messages.ts'
import {
  currency,
  date,
  id,
  integer,
  minorUnits,
  object,
  text,
  timestamp,
  unsigned64,
} from '../../domain/kernel/schema.ts'
import { placesOf } from '../../domain/record/currencies.ts'
import { type Handlers, projection } from '../rows/projection.ts'

const row = object({
  org: id('org'),
  item: id('item'),
  on: date.meta({ description: 'the day from which on it is worth this' }),
  amount: minorUnits,
  currency,
  places: integer(0, 30),
  note: text(1000).optional(),
  revision: unsigned64,
  recorded_at: timestamp,
})

const on: Handlers<z.output<typeof row>, typeof events> = {
  ItemAdded: null,
  ItemUpdated: null,
  ItemStatusChanged: null,
  ItemArchived: null,
  ItemRestored: null,
  ItemValued: {
    keys: ({ data, metadata: { org, id } }) => [{ org, item: id, on: data.on }],
    fold: (_, { data, metadata: { org, id, at }, revision }) => ({
      ...data,
      org,
      item: id,
      places: data.places ?? placesOf(data.currency) ?? 0,
      revision,
      recorded_at: at,
    }),
  },
  ItemValueWithdrawn: {
    keys: ({ data, metadata: { org, id } }) => [{ org, item: id, on: data.on }],
    fold: () => null,
  },
  ItemShared: null,
  ItemUnshared: null,
  ItemEditingSet: null,
  ItemPrivacySet: null,
  ItemPlacementRefused: null,
}

/** One row per day from which on an item is worth something. */
export const itemValues = projection({
  name: 'item_values',
  service: 'briefcase',
  version: 1,
  history: true,
  of: { item: events },
  row,
  key: ['org', 'item', 'on'],
  readers: { like: { item: 'items' } },
  on,
  reads: [
    {
      one: 'item value',
      many: 'item values',
      path: '/items/:id/values',
      permission: 'items.read',
      parents: { id: 'item' },
      names: ['on'],
      order: ['on'],
      groups: ['currency'],
      sums: ['amount'],
      places: { amount: 'places' },
      summary: { list: 'What an item was worth over time.', get: 'What an item is worth from a day on.' },
    },
  ],
})
