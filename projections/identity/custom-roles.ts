import type { z } from 'zod'
import { events } from '../../domain/identity/rolebook/messages.ts'
import { id, object, timestamp, unsigned64 } from '../../domain/kernel/schema.ts'
import { type Handlers, projection } from '../rows/projection.ts'

const { role, permissions, description, reason } = events.RoleDefined.shape

const row = object({
  org: id('org'),
  role,
  permissions,
  description,
  reason,
  revision: unsigned64.meta({ description: 'revision of the list of roles that defined it' }),
  updated_at: timestamp,
})

const on: Handlers<z.output<typeof row>, typeof events> = {
  RoleDefined: {
    keys: ({ data: { role }, metadata: { org } }) => [{ org, role }],
    fold: (_, { data, metadata: { org, at }, revision }) => ({ ...data, org, revision, updated_at: at }),
  },
  RoleDropped: {
    keys: ({ data: { role }, metadata: { org } }) => [{ org, role }],
    fold: () => null,
  },
}

/** One row per role that the organization has defined. */
export const customRoles = projection({
  name: 'custom_roles',
  service: 'identity',
  version: 1,
  history: true,
  of: { rolebook: events },
  row,
  key: ['org', 'role'],
  on,
  reads: [
    {
      one: 'custom role',
      many: 'custom roles',
      path: '/roles',
      permission: 'roles.read',
      names: [],
      order: ['role'],
      filters: ['role'],
      summary: { list: 'The roles that the organization has beside those of the platform, with their permissions.' },
    },
  ],
})
