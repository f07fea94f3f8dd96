import type { z } from 'zod'
import { events } from '../../domain/exchange/capacity/messages.ts'
import { date, id, integer, object, text, timestamp, unsigned64 } from '../../domain/kernel/schema.ts'
import { type Handlers, projection } from '../rows/projection.ts'
import { capacities } from './capacities.ts'

const row = object({
  org: id('org'),
  capacity: id('capacity'),
  allocation: id('allocation'),
  request: id('resource request'),
  allocated_by: text(128),
  units: integer(1, 1_000_000_000),
  from: date,
  to: date,
  revision: unsigned64,
  allocated_at: timestamp,
})
type Row = z.output<typeof row>

type Named = { readonly data: { readonly allocation: string }; readonly metadata: { org: string; id: string } }
const keys = ({ data: { allocation }, metadata: { org, id: capacity } }: Named) => [{ org, capacity, allocation }]

const on: Handlers<Row, typeof events> = {
  CapacityOffered: null,
  CapacityWithdrawn: null,
  CapacityAllocated: {
    keys,
    fold: (_, { data: { by: allocated_by, ...data }, metadata: { org, id: capacity, at }, revision }) => ({
      ...data,
      allocated_by,
      org,
      capacity,
      revision,
      allocated_at: at,
    }),
  },
  AllocationReleased: { keys, fold: () => null },
}

/** One row per allocation that is not released. */
export const allocations = projection({
  name: 'allocations',
  service: 'exchange',
  version: 1,
  history: true,
  of: { capacity: events },
  row,
  key: ['org', 'capacity', 'allocation'],
  on,
  reads: [
    {
      one: 'allocation',
      many: 'allocations',
      path: '/allocations',
      permission: 'capacities.read',
      names: [],
      order: ['capacity', 'allocation'],
      filters: ['request', 'allocated_by', 'from'],
      groups: ['request', 'allocated_by', 'capacity'],
      sums: ['units'],
      units: { units: null },
      summary: { list: 'What is allocated to requests.' },
    },
    {
      one: 'capacity allocation',
      many: 'capacity allocations',
      path: '/capacities/:id/allocations',
      permission: 'capacities.read',
      parents: { id: 'capacity' },
      within: capacities,
      names: ['allocation'],
      order: ['allocation'],
      filters: ['request'],
      summary: { list: 'The allocations of a capacity.', get: 'An allocation of a capacity.' },
    },
  ],
})
