import type { z } from 'zod'
import { events } from '../../domain/identity/sharing/messages.ts'
import { id, object, timestamp, unsigned64 } from '../../domain/kernel/schema.ts'
import { type Handlers, projection } from '../rows/projection.ts'

const { delegation, from, to, roles, until, reason } = events.RolesDelegated.shape

const row = object({
  org: id('org'),
  id: delegation,
  from,
  to,
  roles,
  until,
  reason,
  revision: unsigned64.meta({ description: 'revision of the list that made it' }),
  delegated_at: timestamp,
})

const on: Handlers<z.output<typeof row>, typeof events> = {
  RolesDelegated: {
    keys: ({ data: { delegation }, metadata: { org } }) => [{ org, id: delegation }],
    fold: (_, { data: { delegation, ...data }, metadata: { org, at }, revision }) => ({
      ...data,
      org,
      id: delegation,
      revision,
      delegated_at: at,
    }),
  },
  DelegationEnded: {
    keys: ({ data: { delegation }, metadata: { org } }) => [{ org, id: delegation }],
    fold: () => null,
  },
  ThingShared: null,
  ThingUnshared: null,
}

/** One row per delegation: who has lent which roles to whom, and until when. */
export const delegations = projection({
  name: 'delegations',
  service: 'identity',
  version: 1,
  history: true,
  of: { sharing: events },
  row,
  key: ['org', 'id'],
  on,
  reads: [
    {
      one: 'delegation',
      many: 'delegations',
      path: '/delegations',
      permission: 'members.read',
      names: [],
      order: ['id'],
      filters: ['from', 'to', 'until'],
      summary: { list: 'The roles that people have lent to others, and until when.' },
    },
  ],
})
