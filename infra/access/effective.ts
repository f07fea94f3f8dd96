/** What a caller may do in an organization: the token and the directory together. */
import {
  type Directory,
  endOf,
  type Source,
  type Standing,
  sharedWith,
  sourcesOf,
  standingOf,
  teamsOf,
} from '../../domain/identity/access.ts'
import { isOfPlatform } from '../../domain/identity/roles.ts'
import type { Grant } from '../../domain/identity/sharing/sharing.ts'
import type { Principal } from '../../domain/kernel/route.ts'
import type { Role } from '../../domain/kernel/service.ts'
import { bothCover, covers } from '../../domain/record/grants.ts'
import { memberOf } from '../../domain/record/keyed.ts'
import { permissionsOfRoles } from '../auth/permissions.ts'
import { httpError } from '../http/errors.ts'

/** All that someone who was invited may do where outsiders are refused. */
const INVITED = ['identity.invitations.accept']

/** The roles of the platform whose permissions, in one thing alone, a role in that thing gives. */
const IN_THING: Readonly<Record<Grant['role'], Role>> = {
  reader: 'viewer',
  editor: 'team-lead',
  owner: 'organization-admin',
}

/** The permissions of a role, one of the platform or one that the organization has defined. */
export const permissionsOf = ({ rolebook }: Directory, role: string): readonly string[] =>
  isOfPlatform(role) ? permissionsOfRoles([role]) : (memberOf(rolebook.roles, role) ?? [])

/** Whether a grant on a thing covers a permission. */
export const givenBy = ({ role }: Grant, needed: string): boolean =>
  covers(permissionsOfRoles([IN_THING[role]]), needed)

/** The roles of a member that hold a permission, with where they come from. */
export const sourcesFor = (directory: Directory, sources: readonly Source[], needed: string): readonly Source[] =>
  sources.filter(({ role }) => covers(permissionsOf(directory, role), needed))

/** A caller as the directory has them, and until when that is so, in ms since the epoch. */
export type Effective = { readonly principal: Principal; readonly until: number }

/**
 * The caller with what they may do. Throws `account_suspended` or `not_a_member`.
 *
 * | in the directory as | may do |
 * | --- | --- |
 * | nothing, there is no organization | what the token says |
 * | active | what their roles there allow, narrowed to the scopes of the token, whose other claims say nothing |
 * | suspended, removed | nothing |
 * | invited, or not at all | what the token says; where outsiders are refused, nothing but accept the invitation |
 */
export function effective(principal: Principal, directory: Directory, now: number): Effective {
  if (directory.organization.status === 'none') return { principal, until: Number.POSITIVE_INFINITY }
  const { subject, scoped } = principal
  const at = new Date(now).toISOString()
  const end = endOf(directory, subject, at)
  const until = end === undefined ? Number.POSITIVE_INFINITY : Date.parse(end)
  const teams = [...new Set([...(principal.teams ?? []), ...teamsOf(directory, subject)])]
  const inTeams = teams.length > 0 && { teams }
  const standing = standingOf(directory, subject)
  const permissions = permissionsIn(standing, principal, directory)
  if (permissions) return { principal: { ...principal, ...inTeams, permissions }, until }
  const sources = sourcesOf(directory, subject, at)
  const roles = [...new Set(sources.map(({ role }) => role))]
  const held = [...new Set(roles.flatMap(role => permissionsOf(directory, role)))]
  const narrowed = scoped ? bothCover(held, scoped) : held
  return { principal: { ...principal, ...inTeams, roles, permissions: narrowed }, until }
}

/** What everybody but an active member may do. */
function permissionsIn(standing: Standing, { permissions, roles }: Principal, { organization }: Directory) {
  if (standing === 'active') return undefined
  if (standing === 'suspended') throw httpError('account_suspended')
  if (standing === 'removed') throw httpError('not_a_member')
  // Operators of the platform come from outside of every organization.
  const isWelcome = organization.outsiders === 'by_token' || roles.includes('platform-admin')
  if (standing === 'invited') return isWelcome ? [...permissions, ...INVITED] : INVITED
  if (!isWelcome) throw httpError('not_a_member')
  return permissions
}

/** Whether something that is shared with the caller covers a permission on one thing. */
export function isSharedWith(
  directory: Directory,
  { subject, teams = [], scoped }: Principal,
  thing: { readonly category: string; readonly id: string },
  needed: string,
  at: string,
): boolean {
  if (directory.organization.status === 'none') return false
  if (scoped && !covers(scoped, needed)) return false
  return sharedWith(directory, thing, { user: subject, teams, at }).some(grant => givenBy(grant, needed))
}
