import type { z } from 'zod'
import { events } from '../../domain/identity/organization/messages.ts'
import type { DomainEvent } from '../../domain/kernel/event.ts'
import { id, object, oneOf, timestamp, unsigned64 } from '../../domain/kernel/schema.ts'
import { type Handler, type Handlers, projection } from '../rows/projection.ts'

const { user, roles, until, reason } = events.MemberInvited.shape

const row = object({
  org: id('org'),
  user,
  roles,
  status: oneOf('invited', 'active', 'suspended', 'removed'),
  until: until.optional().meta({ description: 'when an invitation is over' }),
  reason: reason.meta({ description: 'why it is as it is' }),
  revision: unsigned64.meta({ description: 'revision of the organization that made it so' }),
  updated_at: timestamp,
})
type Row = z.output<typeof row>

/** The event is about one member, whose row has the columns that it gives; others stay as they were. */
const member = <D>(
  userOf: (data: D) => string,
  columns: (data: D) => Pick<Row, 'status'> & Partial<Pick<Row, 'roles' | 'until' | 'reason'>>,
): Handler<Row, D> => ({
  keys: ({ data, metadata: { org } }: DomainEvent<string, D>) => [{ org, user: userOf(data) }],
  fold: (before, { data, metadata: { org, at }, revision }) => ({
    org,
    user: userOf(data),
    roles: before?.roles ?? [],
    ...columns(data),
    revision,
    updated_at: at,
  }),
})

type Named = { readonly user: string; readonly reason?: string | undefined }
const standing = (status: Row['status']): Handler<Row, Named> =>
  member(
    ({ user }) => user,
    ({ reason }) => ({ status, reason }),
  )

const on: Handlers<Row, typeof events> = {
  OrganizationFounded: member(
    ({ founder }) => founder,
    () => ({ status: 'active', roles: ['organization-admin'] }),
  ),
  OrganizationRenamed: null,
  OutsidersSet: null,
  MemberAdded: member(
    ({ user }) => user,
    ({ roles, reason }) => ({ status: 'active', roles, reason }),
  ),
  MemberInvited: member(
    ({ user }) => user,
    ({ roles, until, reason }) => ({ status: 'invited', roles, until, reason }),
  ),
  InvitationAccepted: member(
    ({ user }) => user,
    ({ roles }) => ({ status: 'active', roles }),
  ),
  InvitationWithdrawn: standing('removed'),
  MemberRolesSet: {
    keys: ({ data: { user }, metadata: { org } }) => [{ org, user }],
    fold: (before, { data: { user, roles, reason }, metadata: { org, at }, revision }) => ({
      org,
      user,
      roles,
      status: before?.status ?? 'active',
      reason,
      revision,
      updated_at: at,
    }),
  },
  MemberSuspended: standing('suspended'),
  MemberResumed: standing('active'),
  MemberRemoved: standing('removed'),
}

/** One row per person that the organization lists: members, those who were invited, those who were removed. */
export const members = projection({
  name: 'members',
  service: 'identity',
  version: 1,
  history: true,
  of: { organization: events },
  row,
  key: ['org', 'user'],
  on,
  reads: [
    {
      one: 'member',
      many: 'members',
      path: '/members',
      permission: 'members.read',
      names: [],
      order: ['user'],
      filters: ['user', 'roles'],
      walked: ['status'],
      groups: ['status'],
      summary: { list: 'The people of the organization, with their roles and whether they are suspended.' },
    },
  ],
})
