import { operationsOf } from '../../commands/command.ts'
import type { Principal } from '../../domain/kernel/route.ts'
import { ADMIN_ROLES, ROLES, type Role, type Service } from '../../domain/kernel/service.ts'
import { covers } from '../../domain/record/grants.ts'
import { isOfInstallation } from '../../domain/record/installation.ts'
import { memories, projections, services } from '../catalogue.ts'
import { httpError } from '../http/errors.ts'
import { mustBeSure } from './step-up.ts'

/**
 * Permissions of reads that are no list of a read model, of what is more than one command, and of the operator, whose
 * service has no roles.
 */
const SPECIAL = [
  `${memories.service}.memories.read`,
  'wallet.imports.write',
  'audit.refusals.read',
  'audit.sensitive-reads.read',
  'audit.operations.read',
  'audit.persons.read',
  'audit.own-data.read',
  'audit.compliance.read',
  'identity.access.read',
  'settings.values.read',
  'platform.log.read',
  'platform.settings.read',
]

/** Every permission that a command or a read needs, as `service.resource.action`, each once, in order. */
export const permissions: readonly string[] = [
  ...new Set([
    ...services.flatMap(({ word, aggregates }) =>
      aggregates.flatMap(aggregate => operationsOf(aggregate).map(([, [, permission]]) => `${word}.${permission}`)),
    ),
    ...projections.flatMap(({ service, reads = [] }) => reads.map(({ permission }) => `${service}.${permission}`)),
    ...SPECIAL,
  ]),
].sort()

/** True where one of the caller's grants covers the permission. What is not granted is refused. */
export const allows = ({ permissions: grants }: Pick<Principal, 'permissions'>, needed: string): boolean =>
  covers(grants, needed)

/** Throws `forbidden` where none of the caller's grants covers the permission. */
export function mustAllow(principal: Principal, needed: string): void {
  if (!allows(principal, needed)) throw httpError('forbidden', [{ field: 'permission', message: needed }])
  mustBeSure(principal, needed)
}

/** True for a role of the platform. */
export const isRole = (name: string): name is Role => (ROLES as readonly string[]).includes(name)

/** What OAuth scopes such as `briefcase:read` stand for: that action on everything of the service. */
export function permissionsOfScope(scopes: readonly string[]): string[] {
  return scopes.flatMap(word => {
    const [service, action, ...rest] = word.split(':')
    if (!service || !action || rest.length > 0) return []
    if (action === '*') return permissions.some(name => name.startsWith(`${service}.`)) ? [`${service}.*`] : []
    return permissions.filter(name => name.startsWith(`${service}.`) && name.endsWith(`.${action}`))
  })
}

const WORDS = new Set(permissions.map(name => name.split('.')[0]!))

/** Whether a scope speaks of a service of Kogi, even where it stands for nothing there. */
export const isScopeOfKogi = (scope: string): boolean => WORDS.has(scope.split(/[.:]/)[0]!.toLowerCase())

/** The permissions that a service grants to a role: its patterns, spelt out. */
export const grantedBy = ({ word, roles }: Service, role: Role): readonly string[] =>
  permissions.filter(name => (roles[role] ?? []).some(pattern => matches(name, `${word}.${pattern}`)))

/** Whether a permission is one of a pattern, whose parts are words or `*`; a `*` at the end stands for all the rest. */
function matches(permission: string, pattern: string): boolean {
  const [words, parts] = [permission.split('.'), pattern.split('.')]
  if (parts.length > words.length || (parts.length < words.length && parts.at(-1) !== '*')) return false
  return parts.every((part, at) => part === '*' || part === words[at])
}

const ofOrganizations = services.filter(service => !isOfInstallation(service))
const ofRole = new Map<string, readonly string[]>()
for (const role of ADMIN_ROLES)
  ofRole.set(role, role === 'platform-admin' ? ['*'] : ofOrganizations.map(({ word }) => `${word}.*`))

/** The permissions of some roles together; unknown roles add none. */
export function permissionsOfRoles(names: readonly string[]): string[] {
  return [...new Set(names.flatMap(permissionsOfRole))]
}

function permissionsOfRole(name: string): readonly string[] {
  const known = ofRole.get(name)
  if (known) return known
  if (!services.some(({ roles }) => Object.hasOwn(roles, name))) return []
  const granted = services.flatMap(service => grantedBy(service, name as Role))
  ofRole.set(name, granted)
  return granted
}
