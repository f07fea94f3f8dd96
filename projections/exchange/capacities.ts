import type { z } from 'zod'
import { events } from '../../domain/exchange/capacity/messages.ts'
import {
  currency,
  date,
  id,
  integer,
  list,
  minorUnits,
  object,
  oneOf,
  text,
  timestamp,
  unsigned64,
} from '../../domain/kernel/schema.ts'
import { type Handlers, projection } from '../rows/projection.ts'
import { changed, made } from '../rows/thing.ts'

const row = object({
  org: id('org'),
  id: id('capacity'),
  status: oneOf('offered', 'withdrawn'),
  title: text(255),
  traits: list(text(64), 50),
  provider: text(128),
  units: integer(1, 1_000_000_000),
  unit: text(32),
  from: date,
  to: date,
  rate: minorUnits.optional(),
  currency: currency.optional(),
  places: integer(0, 30).optional(),
  revision: unsigned64,
  offered_at: timestamp,
  updated_at: timestamp,
})

const on: Handlers<z.output<typeof row>, typeof events> = {
  CapacityOffered: made((data, at) => ({ ...data, status: 'offered', offered_at: at })),
  CapacityWithdrawn: changed(() => ({ status: 'withdrawn' })),
  CapacityAllocated: changed(() => ({})),
  AllocationReleased: changed(() => ({})),
}

/** One row per capacity. */
export const capacities = projection({
  name: 'capacities',
  service: 'exchange',
  version: 1,
  history: true,
  of: { capacity: events },
  row,
  key: ['org', 'id'],
  on,
  reads: [
    {
      one: 'capacity',
      many: 'capacities',
      path: '/capacities',
      permission: 'capacities.read',
      names: ['id'],
      order: ['id'],
      filters: ['status', 'provider', 'traits', 'unit', 'from', 'to', 'currency', 'rate'],
      groups: ['status', 'provider', 'unit'],
      summary: { list: 'What is offered to those who look for resources.', get: 'A capacity and its terms.' },
    },
  ],
})
