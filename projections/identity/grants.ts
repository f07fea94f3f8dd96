import type { z } from 'zod'
import { events } from '../../domain/identity/sharing/messages.ts'
import { id, object, timestamp, unsigned64 } from '../../domain/kernel/schema.ts'
import { type Handlers, projection } from '../rows/projection.ts'

const { grant, category, thing, kind, with: grantee, role, until, reason } = events.ThingShared.shape

const row = object({
  org: id('org'),
  id: grant,
  category,
  thing,
  kind,
  with: grantee,
  role,
  until,
  reason,
  revision: unsigned64.meta({ description: 'revision of the list of grants that made it' }),
  shared_at: timestamp,
})

const on: Handlers<z.output<typeof row>, typeof events> = {
  ThingShared: {
    keys: ({ data: { grant }, metadata: { org } }) => [{ org, id: grant }],
    fold: (_, { data: { grant, ...data }, metadata: { org, at }, revision }) => ({
      ...data,
      org,
      id: grant,
      revision,
      shared_at: at,
    }),
  },
  ThingUnshared: {
    keys: ({ data: { grant }, metadata: { org } }) => [{ org, id: grant }],
    fold: () => null,
  },
  RolesDelegated: null,
  DelegationEnded: null,
}

/** One row per grant: which thing is shared with whom. Those whose time is over stay until they are ended. */
export const grants = projection({
  name: 'grants',
  service: 'identity',
  version: 1,
  history: true,
  of: { sharing: events },
  row,
  key: ['org', 'id'],
  on,
  reads: [
    {
      one: 'grant',
      many: 'grants',
      path: '/grants',
      permission: 'members.read',
      names: [],
      order: ['id'],
      filters: ['category', 'thing', 'with', 'until'],
      walked: ['kind', 'role'],
      groups: ['category', 'kind', 'role'],
      summary: { list: 'What is shared of single things, and with whom.' },
    },
  ],
})
