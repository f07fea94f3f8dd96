import type { AnyProjection } from '../rows/projection.ts'
import { apiKeys } from './api-keys.ts'
import { customRoles } from './custom-roles.ts'
import { delegations } from './delegations.ts'
import { grants } from './grants.ts'
import { members } from './members.ts'
import { organizations } from './organizations.ts'
import { teams } from './teams.ts'
import { users } from './users.ts'

export const identityModels: readonly AnyProjection[] = [
  organizations,
  members,
  customRoles,
  teams,
  grants,
  delegations,
  apiKeys,
  users,
]
