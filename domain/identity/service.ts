import { ROLES, type Role, service } from '../kernel/service.ts'
import { keybook } from './keybook/keybook.ts'
import { organization } from './organization/organization.ts'
import { rolebook } from './rolebook/rolebook.ts'
import { sharing } from './sharing/sharing.ts'
import { teamtree } from './teamtree/teamtree.ts'
import { user } from './user/user.ts'

/** What everybody may try; the rules say whose things and roles they are. */
const EVERYBODY = ['invitations.accept', 'grants.write', 'delegations.write', 'keys.write', 'organization.read']
const READS: Partial<Record<Role, readonly string[]>> = {
  'team-lead': ['members.read', 'teams.read', 'roles.read'],
  'team-member': ['members.read', 'teams.read', 'roles.read'],
  auditor: ['*.read'],
}

export const identityService = service({
  code: 'kbs',
  word: 'identity',
  title: 'Base: organizations, people, roles, secrets',
  aggregates: [organization, rolebook, teamtree, sharing, keybook, user],
  roles: Object.fromEntries(ROLES.map(role => [role, [...EVERYBODY, ...(READS[role] ?? [])]])),
  adminOnly: ['organization.write', 'members.write', 'roles.write', 'teams.write'],
})
