import type { z } from 'zod'
import { events } from '../../domain/identity/organization/messages.ts'
import { id, object, timestamp, unsigned64 } from '../../domain/kernel/schema.ts'
import { type Handlers, projection } from '../rows/projection.ts'
import { changed, made } from '../rows/thing.ts'

const row = object({
  org: id('org'),
  id: id('organization'),
  name: events.OrganizationFounded.shape.name,
  founder: events.OrganizationFounded.shape.founder,
  founded_at: timestamp,
  outsiders: events.OutsidersSet.shape.outsiders,
  revision: unsigned64,
  updated_at: timestamp,
})

const on: Handlers<z.output<typeof row>, typeof events> = {
  OrganizationFounded: made(({ name, founder }, at) => ({ name, founder, founded_at: at, outsiders: 'by_token' })),
  OrganizationRenamed: changed(({ name }) => ({ name })),
  OutsidersSet: changed(({ outsiders }) => ({ outsiders })),
  MemberAdded: null,
  MemberInvited: null,
  InvitationAccepted: null,
  InvitationWithdrawn: null,
  MemberRolesSet: null,
  MemberSuspended: null,
  MemberResumed: null,
  MemberRemoved: null,
}

/** One row: what the org is as an organization. */
export const organizations = projection({
  name: 'organizations',
  service: 'identity',
  version: 1,
  history: true,
  of: { organization: events },
  row,
  key: ['org', 'id'],
  on,
  reads: [
    {
      one: 'organization',
      many: 'organizations',
      path: '/organization',
      permission: 'organization.read',
      names: [],
      order: ['id'],
      summary: { list: 'The organization: its name, and what outsiders may do. One row, none before it is founded.' },
    },
  ],
})
